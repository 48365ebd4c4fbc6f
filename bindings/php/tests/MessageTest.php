<?php

declare(strict_types=1);

namespace Wsgate\Tests;

final class MessageTest extends ServerTestCase
{
    private const ECHO = __DIR__ . '/../../../examples/php/echo.php';

    public function testAMessageKeepsItsKindAndItsBytes(): void
    {
        $client = RawClient::connect($this->start([self::ECHO, '127.0.0.1:0'])->port());
        foreach ([0, 1, 7, 8, 9, 125, 126, 1023, 1024, 1025, 65_535, 65_536, 262_144, 1_000_000] as $length) {
            $text = substr(str_repeat('Grüße ', intdiv($length, 6) + 1), 0, $length);
            $text = mb_check_encoding($text, 'UTF-8') ? $text : str_repeat('t', $length);
            $client->sendText($text);
            self::assertSame([RawClient::TEXT, $text], $client->receive());
            $data = $length === 0 ? '' : random_bytes($length);
            $client->sendBinary($data);
            self::assertSame([RawClient::BINARY, $data], $client->receive());
        }
        $client->close();
    }

    public function testMessagesThatArriveTogetherAreAnsweredInTheirOrder(): void
    {
        $client = RawClient::connect($this->start([self::ECHO, '127.0.0.1:0'])->port());
        $together = '';
        // As many as a client may send in a second.
        for ($i = 0; $i < 100; $i++) {
            $kind = $i % 3 === 0 ? RawClient::BINARY : RawClient::TEXT;
            $together .= RawClient::frame($kind, str_repeat("$i", $i % 50));
        }
        $client->write($together);
        for ($i = 0; $i < 100; $i++) {
            $kind = $i % 3 === 0 ? RawClient::BINARY : RawClient::TEXT;
            self::assertSame([$kind, str_repeat("$i", $i % 50)], $client->receive());
        }
        $client->close();
    }

    public function testClientsAreAnsweredEachForItself(): void
    {
        $port = $this->start([self::ECHO, '127.0.0.1:0'])->port();
        $clients = [];
        for ($i = 0; $i < 50; $i++) {
            $clients[] = RawClient::connect($port);
        }
        for ($round = 0; $round < 5; $round++) {
            foreach ($clients as $i => $client) {
                $client->sendText("$round of $i");
            }
            foreach ($clients as $i => $client) {
                self::assertSame("$round of $i", $client->receiveText());
            }
        }
    }

    public function testSendsOutsideOfCallbacksGoAtOnceAndToAClientThatHasJustGoneNowhere(): void
    {
        $server = $this->program('late');
        $client = RawClient::connect($server->port());
        self::assertSame([RawClient::TEXT, 'one'], $client->receive());
        self::assertSame([RawClient::TEXT, 'two'], $client->receive());
        self::assertSame([RawClient::BINARY, 'three'], $client->receive());
        $client->cut();
        self::assertSame('not told', $server->line());
        self::assertSame('told', $server->line());
        self::assertSame('stopped', $server->line());
        self::assertSame(0, $server->wait(), $server->errors());
    }

    public function testPongsCarryTheTicketOfTheirPing(): void
    {
        $client = RawClient::connect($this->program('room')->port());
        self::assertSame('hello ', $client->receiveText());
        foreach ([0, 1, 4_000_000_000, PHP_INT_MAX] as $ticket) {
            $client->sendText("ping $ticket");
            self::assertSame("pong $ticket", $client->receiveText());
        }
    }

    public function testARequestShowsWhatTheClientSent(): void
    {
        $port = $this->program('request')->port();
        $headers = ['x-TEST' => 'one', 'X-Test' => 'two'];
        $client = RawClient::connect($port, '/where?a=1&name=J%C3%BCrgen+x%26y', $headers);
        $request = json_decode($client->receiveText(), true, 512, JSON_THROW_ON_ERROR);
        self::assertMatchesRegularExpression('/^127\.0\.0\.1:\d+$/', $request['remote']);
        unset($request['remote']);
        self::assertSame([
            'method' => 'GET',
            'target' => '/where?a=1&name=J%C3%BCrgen+x%26y',
            'path' => '/where',
            'query' => 'a=1&name=J%C3%BCrgen+x%26y',
            'name' => 'Jürgen+x&y',
            'missing' => null,
            'header' => 'one',
            'headers' => ['one', 'two'],
            'local' => "127.0.0.1:$port",
            'subprotocol' => '',
            'same' => true,
        ], $request);
    }

    public function testAPathWithoutAnEndpointIsNotAccepted(): void
    {
        $port = $this->program('request')->port();
        self::assertStringStartsWith('HTTP/1.1 404 ', RawClient::request($port, '/nowhere')->response);
    }
}
