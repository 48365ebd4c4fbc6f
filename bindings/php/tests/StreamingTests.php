<?php

declare(strict_types=1);

namespace Wsgate\Tests;

/** Messages that are read while they arrive, and sent while they are made. */
trait StreamingTests
{
    private const CONTINUATION = 0;

    public function testAMessageIsReadWhileItArrives(): void
    {
        [, $port] = $this->serve('streams');
        $client = RawClient::connect($port, '/read');
        $client->write(RawClient::frame(RawClient::TEXT, 'one', false));
        self::assertSame('text, readable', $client->receiveText());
        self::assertSame('"one"', $client->receiveText());
        $client->write(RawClient::frame(self::CONTINUATION, 'two', false));
        self::assertSame('"two"', $client->receiveText());
        // Half a character, and the other half.
        $client->write(RawClient::frame(self::CONTINUATION, "\xc3", false));
        self::assertSame('"\xc3"', $client->receiveText());
        $client->write(RawClient::frame(self::CONTINUATION, "\xa4"));
        self::assertSame('"\xa4"', $client->receiveText());
        self::assertSame('end, read', $client->receiveText());
        self::assertSame('onClose', $client->receiveText());
    }

    public function testALongMessageIsBufferedOnceItIsThere(): void
    {
        [, $port] = $this->serve('streams');
        $client = RawClient::connect($port, '/buffer');
        $data = random_bytes(3 << 20);
        foreach (str_split($data, 500_000) as $i => $part) {
            $opcode = $i === 0 ? RawClient::BINARY : self::CONTINUATION;
            $client->write(RawClient::frame($opcode, $part, $i === 6));
        }
        self::assertSame('binary ' . md5($data) . ' again ' . md5($data), $client->receiveText());
        $client->write(RawClient::frame(RawClient::TEXT, 'long', false));
        $client->write(RawClient::frame(self::CONTINUATION, 'er'));
        self::assertSame('over with long', $client->receiveText());
        self::assertSame('then longer', $client->receiveText());
    }

    /** @return iterable<string, array{string}> */
    public static function readers(): iterable
    {
        yield 'it closes the message' => ['/close'];
        yield 'it drops the message' => ['/drop'];
        yield 'it holds the message, and receives the next' => ['/hold'];
    }

    /** @dataProvider readers */
    public function testAHandlerNeedNotReadAMessage(string $path): void
    {
        [, $port] = $this->serve('streams');
        $client = RawClient::connect($port, $path);
        for ($round = 0; $round < 3; $round++) {
            $client->write(RawClient::frame(RawClient::BINARY, 'begins', false));
            self::assertSame('received', $client->receiveText());
            // Several times the window.
            for ($i = 0; $i < 9; $i++) {
                $client->write(RawClient::frame(self::CONTINUATION, str_repeat('x', 1_000_000), $i === 8));
            }
            $client->sendText('next');
            self::assertSame('next', $client->receiveText());
        }
    }

    public function testAReaderIsToldWhenTheClientClosesInTheMidst(): void
    {
        [$server, $port] = $this->serve('streams');
        foreach (['/read', '/late-read'] as $path) {
            $client = RawClient::connect($port, $path);
            $client->write(RawClient::frame(RawClient::TEXT, 'half', false));
            self::assertSame('text, readable', $client->receiveText());
            if ($path === '/read') {
                self::assertSame('"half"', $client->receiveText());
            }
            $client->sendClose(4001, 'enough');
            self::assertSame('cut 4001 enough', $server->line());
            $client->cut();
        }
        self::assertSame(0, $server->stop(), $server->errors());
    }

    public function testAHandlerThatClosesEndsItsReaders(): void
    {
        [$server, $port] = $this->serve('streams');
        $client = RawClient::connect($port, '/close-reading');
        $client->write(RawClient::frame(RawClient::TEXT, 'half', false));
        self::assertSame([1000, 'enough'], $client->receiveClose());
        self::assertSame('cut 1000 enough', $server->line());
    }

    public function testACancelledReadLosesNothing(): void
    {
        [, $port] = $this->serve('streams');
        $client = RawClient::connect($port, '/cancel');
        $client->write(RawClient::frame(RawClient::TEXT, 'a', false));
        self::assertSame('cancelled', $client->receiveText());
        $client->write(RawClient::frame(self::CONTINUATION, 'b', false));
        self::assertSame('cancelled', $client->receiveText());
        $client->write(RawClient::frame(self::CONTINUATION, 'c'));
        self::assertSame('abc', $client->receiveText());
    }

    public function testAMessageIsSentWhileItIsMade(): void
    {
        [, $port] = $this->serve('streams');
        $client = RawClient::connect($port, '/send');
        self::assertSame([RawClient::TEXT, 'one', false], $client->receiveFrame());
        $client->sendText('go on');
        self::assertSame([self::CONTINUATION, 'two', false], $client->receiveFrame());
        self::assertSame([self::CONTINUATION, '', true], $client->receiveFrame());
    }

    public function testWhatIsSentDuringAStreamFollowsInTheOrderOfTheCalls(): void
    {
        [, $port] = $this->serve('streams');
        $client = RawClient::connect($port, '/order');
        $client->sendText('go');
        $expected = [
            [RawClient::TEXT, 'first first'],
            [RawClient::TEXT, 'sent'],
            [RawClient::BINARY, 'second second'],
            [RawClient::TEXT, 'sent later'],
            [RawClient::TEXT, 'third third'],
            [RawClient::TEXT, ''],
        ];
        foreach ($expected as $message) {
            self::assertSame($message, $client->receive());
        }
    }

    public function testAStreamWaitsForAClientThatReadsSlowly(): void
    {
        [, $port] = $this->serve('streams');
        $client = RawClient::connect($port, '/flood');
        [$opcode, $data] = $client->receive();
        self::assertSame(RawClient::BINARY, $opcode);
        $chunk = static fn (int $i): string => str_repeat(chr($i), $i % 2 === 0 ? 10_000 : 70_000);
        self::assertSame(md5(implode(array_map($chunk, range(0, 199)))), md5($data));
        self::assertSame('end', $client->receiveText());
    }

    public function testAStreamThatThrowsClosesTheClient(): void
    {
        [$server, $port] = $this->serve('streams');
        $client = RawClient::connect($port, '/throw');
        self::assertSame([RawClient::TEXT, 'half', false], $client->receiveFrame());
        self::assertSame(1011, $client->receiveClose()[0]);
        self::assertSame('thrown on DomainException', $server->line());
    }

    public function testAStreamEndsWithItsClient(): void
    {
        [$server, $port] = $this->serve('streams');
        $client = RawClient::connect($port, '/endless');
        $client->receiveFrame();
        $client->cut();
        self::assertSame('not sent: 1006', $server->line());
        self::assertSame('neither: 1006', $server->line());
        self::assertSame(0, $server->stop(), $server->errors());
    }
}
