<?php

declare(strict_types=1);

namespace Wsgate\Tests;

/** Many clients at once. */
final class LoadTest extends ServerTestCase
{
    private const CLIENTS = 5000;

    public function testTheLongestUnfinishedMessageGoesWhenAllAreOverTheInboxBudget(): void
    {
        $server = $this->program('budget');
        $port = $server->port();
        $small = RawClient::connect($port);
        $message = RawClient::frame(RawClient::TEXT, str_repeat('s', 1000));
        $small->write(substr($message, 0, 500));
        $large = RawClient::connect($port);
        $large->write(substr(RawClient::frame(RawClient::BINARY, str_repeat('l', 3 << 20)), 0, 2 << 20));
        self::assertSame('closed 1013 Limit', $server->line());
        $small->write(substr($message, 500));
        self::assertSame('1000', $small->receiveText());
    }

    public function testFiveThousandHandlersRunAtOnce(): void
    {
        $limits = posix_getrlimit();
        if ($limits['hard openfiles'] !== 'unlimited' && $limits['hard openfiles'] < self::CLIENTS + 100) {
            self::markTestSkipped("skipped: {$limits['hard openfiles']} open files are allowed");
        }
        $server = $this->start([__DIR__ . '/programs/many.php', (string) self::CLIENTS]);
        $port = $server->port();
        // Many processes, because select(), which PHP's tests wait with, takes 1,024 descriptors.
        $crowd = [];
        for ($i = 0; $i < 10; $i++) {
            $crowd[] = $this->start([__DIR__ . '/programs/crowd.php', (string) $port, (string) (self::CLIENTS / 10)]);
        }
        foreach ($crowd as $part) {
            self::assertSame('connected', $part->line());
        }
        self::assertSame('all ' . self::CLIENTS . ' are here', $server->line());
        foreach ($crowd as $part) {
            self::assertSame('heard', $part->line());
            self::assertSame(0, $part->wait());
        }
        self::assertSame('all have left', $server->line());
        self::assertSame(0, $server->stop(), $server->errors());
    }
}
