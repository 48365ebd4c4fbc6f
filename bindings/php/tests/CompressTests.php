<?php

declare(strict_types=1);

namespace Wsgate\Tests;

/** What both layers promise of the messages that say how they are compressed: programs that compress from 100 bytes on. */
trait CompressTests
{
    /** @return iterable<string, array{string}> how a message is sent */
    public static function waysToSend(): iterable
    {
        foreach (['', 'begin-', 'broadcast-', 'multicast-'] as $how) {
            yield "{$how}text" => ["{$how}text"];
            yield "{$how}binary" => ["{$how}binary"];
        }
    }

    /** @dataProvider waysToSend */
    public function testAMessageSaysWhetherItIsCompressed(string $how): void
    {
        [, $port] = $this->serveCompressed();
        $client = RawClient::connect($port, '/', ['Sec-WebSocket-Extensions' => 'permessage-deflate']);
        // One that is begun is compressed unless it says otherwise: nobody knows how long it gets. From 64 KiB on a
        // message goes another way.
        foreach ([50 => str_starts_with($how, 'begin-'), 500 => true, 70_000 => true] as $length => $otherwise) {
            foreach (['as-it-is' => $otherwise, 'always' => true, 'never' => false] as $compress => $isCompressed) {
                $client->sendText("$how $compress $length");
                [$opcode, $text, $wasCompressed] = $client->receiveInflated();
                self::assertSame(str_ends_with($how, 'text') ? RawClient::TEXT : RawClient::BINARY, $opcode);
                self::assertTrue($text === str_repeat('x', $length), "$how $compress $length");
                self::assertSame($isCompressed, $wasCompressed, "$how $compress $length");
            }
        }
    }

    public function testWithoutCompressionOnTheConnectionAMessageGoesAsItIs(): void
    {
        [, $port] = $this->serveCompressed();
        $client = RawClient::connect($port, '/');
        $client->sendText('text always 500');
        self::assertSame(str_repeat('x', 500), $client->receiveText());
    }
}
