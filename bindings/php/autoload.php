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

// Psr\Log from Debian's package, which lies in the include path.
spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'Psr\\Log\\')) {
        $file = stream_resolve_include_path(strtr($class, '\\', '/') . '.php');
        if ($file !== false) {
            require $file;
        }
    }
});

require_once __DIR__ . '/src/functions.php';
