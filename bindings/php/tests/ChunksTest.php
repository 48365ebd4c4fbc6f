<?php

declare(strict_types=1);

namespace Wsgate\Tests;

/** Messages in chunks, without fibers. */
final class ChunksTest extends ServerTestCase
{
    private const CONTINUATION = 0;

    public function testAMessageComesInChunksAndItsRestCanBeDiscarded(): void
    {
        $server = $this->program('chunks');
        $client = RawClient::connect($server->port());
        $client->sendText('short');
        self::assertSame('whole short', $server->line());
        $client->write(RawClient::frame(RawClient::TEXT, 'one', false));
        self::assertSame('begin text 1', $server->line());
        self::assertSame('chunk one', $server->line());
        $client->write(RawClient::frame(self::CONTINUATION, 'two'));
        self::assertSame('chunk two', $server->line());
        self::assertSame('end', $server->line());
        $client->write(RawClient::frame(RawClient::BINARY, 'enough', false));
        self::assertSame('begin binary 2', $server->line());
        self::assertSame('chunk enough', $server->line());
        for ($i = 0; $i < 5; $i++) {
            $client->write(RawClient::frame(self::CONTINUATION, str_repeat('x', 1_000_000), $i === 4));
        }
        self::assertSame('end', $server->line());
        $client->sendText('next');
        self::assertSame('whole next', $server->line());
        $client->cut();
        self::assertSame(0, $server->stop(), $server->errors());
    }

    public function testAMessageIsSentInChunks(): void
    {
        $server = $this->program('chunks');
        $client = RawClient::connect($server->port());
        $client->sendText('make one');
        $client->sendText('first');
        self::assertSame([RawClient::TEXT, '1', false], $client->receiveFrame());
        foreach (['not yet', 'second', 'large', 'last'] as $text) {
            $client->sendText($text);
        }
        $rest = '';
        do {
            [$opcode, $data, $isLast] = $client->receiveFrame();
            self::assertSame(self::CONTINUATION, $opcode);
            $rest .= $data;
        } while (!$isLast);
        self::assertSame(str_repeat('x', 100_000), $rest);
        self::assertSame('after it', $client->receiveText());
    }

    /** @return iterable<string, array{string, string}> */
    public static function mistakes(): iterable
    {
        yield 'a chunk of nothing' => ['none open', 'no message to this client is open'];
        yield 'two at once' => ['two', 'a message to this client is open already'];
    }

    /** @dataProvider mistakes */
    public function testAMistakeIsLoggedAndClosesThatClient(string $text, string $logged): void
    {
        $server = $this->program('chunks');
        $client = RawClient::connect($server->port());
        $client->sendText($text);
        self::assertSame("whole $text", $server->line());
        self::assertSame("log $logged", $server->line());
        self::assertSame(1011, $client->receiveClose()[0]);
    }
}
