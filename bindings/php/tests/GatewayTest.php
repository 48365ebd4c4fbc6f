<?php

declare(strict_types=1);

namespace Wsgate\Tests;

final class GatewayTest extends ServerTestCase
{
    /** @return list<RawClient> one for each name */
    private function enter(ServerProcess $server, string ...$names): array
    {
        $port = $server->port();
        $clients = [];
        foreach ($names as $name) {
            $clients[] = $client = RawClient::connect($port, "/?name=$name");
            self::assertSame("hello $name", $client->receiveText());
        }
        return $clients;
    }

    public function testABroadcastReachesAllInItsKind(): void
    {
        $clients = $this->enter($this->program('room'), 'a', 'b', 'c');
        $clients[1]->sendText('all hi');
        foreach ($clients as $client) {
            self::assertSame([RawClient::TEXT, 'b: hi'], $client->receive());
        }
        $clients[2]->sendText("bytes \x01\x02");
        foreach ($clients as $client) {
            self::assertSame([RawClient::BINARY, "\x01\x02"], $client->receive());
        }
    }

    public function testALargeBroadcastReachesAll(): void
    {
        $clients = $this->enter($this->program('room'), 'a', 'b');
        $text = str_repeat('0123456789', 30_000);
        $clients[0]->sendText("all $text");
        foreach ($clients as $client) {
            self::assertSame("a: $text", $client->receiveText());
        }
    }

    public function testWhoIsExcludedGetsNothing(): void
    {
        $clients = $this->enter($this->program('room'), 'a', 'b', 'c');
        $clients[0]->sendText('except a,c');
        $clients[0]->sendText('all next');
        self::assertSame('a: next', $clients[0]->receiveText());
        self::assertSame('to the rest', $clients[1]->receiveText());
        self::assertSame('a: next', $clients[1]->receiveText());
        self::assertSame('a: next', $clients[2]->receiveText());
    }

    public function testAClientThatClosedMayBeExcluded(): void
    {
        $server = $this->program('room');
        [$a, $b] = $this->enter($server, 'a', 'b');
        $b->close();
        self::assertStringStartsWith('closed b', $server->line());
        $a->sendText('except b');
        self::assertSame('to the rest', $a->receiveText());
    }

    public function testWhoLeavesGetsNothingUntilItJoinsAgain(): void
    {
        [$a, $b] = $this->enter($this->program('room'), 'a', 'b');
        $a->sendText('leave');
        self::assertSame('left', $a->receiveText());
        $b->sendText('all 1');
        self::assertSame('b: 1', $b->receiveText());
        $a->sendText('join');
        self::assertSame('joined', $a->receiveText());
        $b->sendText('all 2');
        self::assertSame('b: 2', $a->receiveText());
    }

    public function testAGatewayThatWasClosedReachesNobody(): void
    {
        [$a] = $this->enter($this->program('room'), 'a');
        $a->sendText('other');
        self::assertSame('other', $a->receiveText());
        $a->sendText('end');
        self::assertSame('ended', $a->receiveText());
    }

    public function testDirectSendsAndBroadcastsKeepTheOrderOfTheCalls(): void
    {
        [$a] = $this->enter($this->program('room'), 'a');
        $a->sendText('order 5');
        for ($i = 0; $i < 5; $i++) {
            self::assertSame("direct $i", $a->receiveText());
            self::assertSame("room $i", $a->receiveText());
            self::assertSame(RawClient::BINARY, $a->receive()[0]);
        }
    }
}
