<?php

declare(strict_types=1);

namespace Wsgate\Tests;

final class CloseTest extends ServerTestCase
{
    private function enter(ServerProcess $server): RawClient
    {
        $client = RawClient::connect($server->port(), '/?name=x');
        self::assertSame('hello x', $client->receiveText());
        return $client;
    }

    public function testACloseByThePeerIsReportedWithItsCodeAndReason(): void
    {
        $server = $this->program('room');
        $client = $this->enter($server);
        $client->sendText('all hi');
        $client->receiveText();
        $client->close(4321, 'grüße');
        self::assertSame("closed x: 4321 Peer clean in=1 out=2 ordered 'grüße'", $server->line());
    }

    public function testACloseByTheProgramComesAfterWhatItSentBefore(): void
    {
        $server = $this->program('room');
        $client = $this->enter($server);
        $client->sendText('close 4001 so long');
        self::assertSame('last', $client->receiveText());
        self::assertSame([4001, 'so long'], $client->receiveClose());
        self::assertSame("closed x: 4001 Application clean in=1 out=2 ordered 'so long'", $server->line());
    }

    public function testALostConnectionIs1006(): void
    {
        $server = $this->program('room');
        $this->enter($server)->cut();
        self::assertSame("closed x: 1006 Lost unclean in=0 out=1 ordered ''", $server->line());
    }

    public function testAPeerThatBreaksTheProtocolIsClosed(): void
    {
        $server = $this->program('room');
        $client = $this->enter($server);
        $client->write("\x81\x02hi");
        self::assertSame(1002, $client->receiveClose()[0]);
        self::assertMatchesRegularExpression('/^closed x: 1002 Protocol /', $server->line());
    }

    public function testAClosedClientTakesNothingAndAProgramThatKnowsIsTold(): void
    {
        $server = $this->program('closed');
        $client = RawClient::connect($server->port());
        $id = '\d+';
        $client->write(RawClient::frame(RawClient::TEXT, 'first') . RawClient::frame(RawClient::TEXT, 'second'));
        self::assertSame([4000, 'enough'], $client->receiveClose());
        self::assertSame('message first', $server->line());
        // "second" came before the peer knew, and is not delivered any more.
        foreach (['', 'onClose'] as $round) {
            if ($round === 'onClose') {
                self::assertSame('onClose 4000', $server->line());
            }
            foreach (['text', 'binary', 'large', 'ping'] as $what) {
                self::assertMatchesRegularExpression(
                    "/^$what: ClosedException Closed client $id is closed$/",
                    $server->line(),
                );
            }
            self::assertSame('close: nothing', $server->line());
        }
        foreach (['add', 'remove', 'except'] as $what) {
            self::assertSame("$what: nothing", $server->line());
        }
        self::assertSame('stopped: gateway: ClosedException Closed the server has stopped', $server->line());
        foreach (['broadcast', 'close gateway', 'stop'] as $what) {
            self::assertSame("stopped: $what: nothing", $server->line());
        }
        self::assertSame('stopped: port: ClosedException Closed the server has stopped', $server->line());
        self::assertSame('stopped: tick: false', $server->line());
        self::assertSame('end', $server->line());
        self::assertSame(0, $server->wait(), $server->errors());
    }
}
