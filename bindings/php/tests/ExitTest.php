<?php

declare(strict_types=1);

namespace Wsgate\Tests;

use RuntimeException;

/** However a program ends, its exit status is its own, it ends soon, and it does not crash. */
final class ExitTest extends ServerTestCase
{
    private const MEMORY = ['-d', 'memory_limit=64M'];

    /** @return iterable<string, array{string, int}> */
    public static function statesWithoutClients(): iterable
    {
        yield from self::states([
            'before start' => 3,
            'after start' => 23,
            'uncaught' => 255,
            'never run' => 0,
            'the server is dropped' => 24,
            'shutdown function registered before' => 17,
            'shutdown function registered after' => 25,
        ]);
    }

    /** @return iterable<string, array{string, int}> */
    public static function statesWithAClient(): iterable
    {
        yield from self::states([
            'in onAccept' => 4,
            'in onClose' => 5,
            'in onPong' => 6,
            'in onMessage' => 7,
            'in onMessage after a send' => 8,
            'in onMessage after a broadcast' => 9,
            'in onLog' => 10,
            'in onMessage while it stops' => 11,
            'in onMessage after close' => 12,
            'in a fiber' => 13,
            'while a fiber waits' => 14,
            'in a generator' => 15,
            'in a destructor' => 16,
            'a destructor sends' => 18,
            'a destructor stops' => 19,
            'after its fork' => 20,
            'a second server' => 21,
            'in a signal handler' => 22,
            'in a tick' => 26,
            'memory limit' => 255,
            'the error handler' => 255,
        ]);
    }

    /** @dataProvider statesWithoutClients */
    public function testExitWithoutClients(string $state, int $status): void
    {
        $server = $this->start([...self::MEMORY, __DIR__ . '/programs/exits.php', $state]);
        self::assertSame($status, $server->wait(), $server->errors());
    }

    /** @dataProvider statesWithAClient */
    public function testExitWithAClient(string $state, int $status): void
    {
        $server = $this->start([...self::MEMORY, __DIR__ . '/programs/exits.php', $state]);
        $client = RawClient::connect($server->port());
        try {
            $client->sendText('go');
            if ($state === 'in onClose') {
                $client->sendClose(1000);
            }
            // Until the connection ends, in whatever way; pings are answered.
            for (;;) {
                $client->receive();
            }
        } catch (RuntimeException $e) {
            self::assertStringNotContainsString('in vain', $e->getMessage());
        }
        self::assertSame($status, $server->wait(), $server->errors());
    }

    public function testWhatWasSentBeforeExitArrives(): void
    {
        $server = $this->program('exits', 'in onMessage after a send');
        $client = RawClient::connect($server->port());
        self::assertSame('welcome', $client->receiveText());
        $client->sendText('go');
        self::assertSame('bye', $client->receiveText());
        self::assertSame([RawClient::BINARY, str_repeat('x', 100_000)], $client->receive());
        self::assertSame(1001, $client->receiveClose()[0]);
        self::assertSame(8, $server->wait());
    }

    /**
     * @param array<string, int> $states
     * @return iterable<string, array{string, int}>
     */
    private static function states(array $states): iterable
    {
        foreach ($states as $state => $status) {
            yield $state => [$state, $status];
        }
    }
}
