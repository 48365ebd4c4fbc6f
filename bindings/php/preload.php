<?php

/*
 * For opcache.preload. With ffi.enable=preload, PHP lets preloaded code alone use FFI outside of the command line:
 * so this compiles the package's own.
 */

declare(strict_types=1);

foreach (glob(__DIR__ . '/src/{,Internal/}*.php', GLOB_BRACE) as $file) {
    // Its parent is psr/log's, which is not preloaded.
    if (basename($file) !== 'ConsoleLogger.php') {
        opcache_compile_file($file);
    }
}
