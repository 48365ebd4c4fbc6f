<?php

/*
 * php -d auto_prepend_file=revolt.php ...: programs find Revolt's event loop, whose sources (revoltphp/event-loop)
 * REVOLT in the environment names, and amphp/amp, if AMP names it.
 */

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    foreach (['Revolt\\' => 'REVOLT', 'Amp\\' => 'AMP'] as $prefix => $variable) {
        $sources = (string) getenv($variable);
        if ($sources !== '' && str_starts_with($class, $prefix)) {
            $file = "$sources/src/" . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
            if (is_file($file)) {
                require $file;
            }
        }
    }
});

if ((string) getenv('AMP') !== '') {
    foreach (['functions', 'Future/functions', 'Internal/functions'] as $file) {
        require_once getenv('AMP') . "/src/$file.php";
    }
}
