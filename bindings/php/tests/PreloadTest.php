<?php

declare(strict_types=1);

namespace Wsgate\Tests;

final class PreloadTest extends ServerTestCase
{
    public function testThePackageCanBePreloaded(): void
    {
        if (!extension_loaded('Zend OPcache')) {
            self::markTestSkipped('skipped: no opcache');
        }
        $user = posix_getuid() === 0 ? ['-d', 'opcache.preload_user=root'] : [];
        $server = $this->start([
            '-d', 'opcache.enable_cli=1',
            '-d', 'ffi.enable=preload',
            '-d', 'opcache.preload=' . dirname(__DIR__) . '/preload.php',
            ...$user,
            __DIR__ . '/programs/request.php',
        ]);
        $client = RawClient::connect($server->port(), '/where');
        self::assertStringContainsString('"method":"GET"', $client->receiveText());
        self::assertSame(0, $server->stop(), $server->errors());
        self::assertSame('', $server->errors());
    }
}
