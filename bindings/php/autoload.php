<?php

declare(strict_types=1);

// For programs without Composer; the same mapping as in composer.json.
spl_autoload_register(static function (string $class): void {
    if (!str_starts_with($class, 'Wsgate\\')) {
        return;
    }
    $file = __DIR__ . '/src/' . strtr(substr($class, strlen('Wsgate\\')), '\\', '/') . '.php';
    if (is_file($file)) {
        require $file;
    }
});
