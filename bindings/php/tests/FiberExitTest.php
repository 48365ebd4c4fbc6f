<?php

declare(strict_types=1);

namespace Wsgate\Tests;

use RuntimeException;

/** However a program with fibers ends, in whatever order PHP destroys them, it does not crash. */
final class FiberExitTest extends ServerTestCase
{
    /** @return iterable<string, array{string, int, int}> */
    public static function ends(): iterable
    {
        $states = [
            'in onClose' => 3,
            'in the handler' => 4,
            'after a broadcast' => 5,
            'in a future' => 6,
            'in async' => 7,
            'after a delay' => 8,
            'while it stops' => 9,
            'destructors' => 10,
            'destructors send' => 10,
            'in finally' => 11,
            'at once' => 12,
            'the script ends' => 0,
            'uncaught in async' => 255,
            'fatal' => 255,
        ];
        // Fifty ends.
        for ($i = 0; $i < 50; $i++) {
            $state = array_keys($states)[$i % count($states)];
            yield "$state, $i" => [$state, $states[$state], $i];
        }
    }

    /** @dataProvider ends */
    public function testItEnds(string $state, int $status, int $seed): void
    {
        $server = $this->start([__DIR__ . '/programs/fiber_exits.php', $state, (string) $seed]);
        $port = $server->port();
        $clients = [];
        try {
            for ($i = 0; $i <= $seed % 3; $i++) {
                $clients[] = RawClient::connect($port);
            }
            $clients[0]->sendText('go');
            if ($state === 'in onClose' || $state === 'in finally') {
                $clients[0]->sendClose(1000);
            }
            for (;;) {
                $clients[0]->receive();
            }
        } catch (RuntimeException $e) {
            self::assertStringNotContainsString('in vain', $e->getMessage());
        }
        self::assertSame($status, $server->wait(), $server->errors());
    }
}
