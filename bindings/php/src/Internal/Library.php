<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use FFI;
use FFI\Exception as FfiException;
use RuntimeException;

/**
 * Finds and loads libwsgate.
 *
 * @internal
 */
final class Library
{
    private const NAME = 'libwsgate.so.0';

    private static ?FFI $ffi = null;

    /** The library's functions; loaded once in a process. */
    public static function load(): FFI
    {
        return self::$ffi ??= self::open();
    }

    private static function open(): FFI
    {
        if (!extension_loaded('ffi')) {
            throw new RuntimeException(
                'wsgate needs the FFI extension: install it, or set extension=ffi in php.ini',
            );
        }
        // Ids and records are read and written as little-endian 64-bit words.
        if (PHP_INT_SIZE !== 8 || pack('S', 1) !== "\x01\x00") {
            throw new RuntimeException('wsgate needs a 64-bit little-endian machine');
        }
        $path = self::path();
        try {
            $ffi = FFI::cdef(file_get_contents(__DIR__ . '/../wsgate.cdef.h'), $path);
        } catch (FfiException $e) {
            if (str_contains($e->getMessage(), 'restricted')) {
                throw new RuntimeException(sprintf(
                    'wsgate needs FFI, and it is off: ffi.enable is "%s" in php.ini; set ffi.enable=true'
                    . ' (the command line also takes ffi.enable=preload, or php -d ffi.enable=true)',
                    ini_get('ffi.enable'),
                ), previous: $e);
            }
            throw new RuntimeException(
                "wsgate cannot load $path: {$e->getMessage()}; set WSGATE_LIBRARY to the library's path",
                previous: $e,
            );
        }
        $version = $ffi->wsgate_abi_version();
        if ($version !== Abi::VERSION) {
            throw new RuntimeException(sprintf(
                '%s has ABI version %d, and this package is for %d: install releases that belong together',
                $path,
                $version,
                Abi::VERSION,
            ));
        }
        return $ffi;
    }

    private static function path(): string
    {
        $path = getenv('WSGATE_LIBRARY');
        if ($path !== false && $path !== '') {
            return $path;
        }
        $package = dirname(__DIR__, 2);
        $beside = "$package/lib/" . self::NAME;
        if (is_file($beside)) {
            return $beside;
        }
        $checkout = dirname($package, 2);
        $built = "$checkout/target/release/libwsgate.so";
        if (is_file("$checkout/Cargo.toml") && is_file($built)) {
            return $built;
        }
        return self::NAME;
    }
}
