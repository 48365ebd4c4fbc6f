<?php

declare(strict_types=1);

namespace Wsgate\Tests;

/** A program that cannot have the library is told what to do about it. */
final class LibraryTest extends ServerTestCase
{
    private const PROGRAM = __DIR__ . '/programs/signals.php';

    public function testFfiThatIsOffNamesItsSetting(): void
    {
        $server = $this->start(['-d', 'ffi.enable=0', self::PROGRAM]);
        self::assertSame(255, $server->wait());
        self::assertStringContainsString('ffi.enable is "0" in php.ini; set ffi.enable=true', $server->errors());
    }

    public function testALibraryThatIsNotThereIsNamed(): void
    {
        $server = $this->start([self::PROGRAM], ['WSGATE_LIBRARY' => '/nowhere/libwsgate.so.0']);
        self::assertSame(255, $server->wait());
        self::assertStringContainsString('cannot load /nowhere/libwsgate.so.0', $server->errors());
        self::assertStringContainsString('set WSGATE_LIBRARY', $server->errors());
    }
}
