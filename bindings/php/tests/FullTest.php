<?php

declare(strict_types=1);

namespace Wsgate\Tests;

final class FullTest extends ServerTestCase
{
    /** @return iterable<string, array{list<int>}> */
    public static function sizes(): iterable
    {
        yield 'many messages in one call' => [[1000]];
        yield 'small ones that would fit behind large ones that do not' => [[10_000, 10, 20]];
        yield 'a call for each message' => [[70_000]];
        yield 'both' => [[70_000, 1000, 10]];
    }

    /**
     * @dataProvider sizes
     * @param list<int> $sizes of the messages, in turn
     */
    public function testAClientThatDoesNotReadGetsWhatWasTakenOnceInOrder(array $sizes): void
    {
        $server = $this->program('full');
        $client = RawClient::connect($server->port());
        $client->sendText('fill ' . implode(',', $sizes));
        self::assertSame('full Full', $server->line());
        $next = 0;
        while (!str_starts_with($text = $client->receiveText(), 'end ')) {
            self::assertSame((string) $next, rtrim($text));
            self::assertSame($sizes[$next % count($sizes)], strlen($text));
            $next++;
        }
        self::assertSame("end $next", $text);
        self::assertSame('drained', $server->line());
        $client->cut();
        self::assertSame(0, $server->stop(), $server->errors());
    }
}
