<?php

declare(strict_types=1);

namespace Wsgate\Tests;

/** The callback layer: the program decides on handshakes, and answers requests. */
final class HandshakeTest extends ServerTestCase
{
    public function testTheProgramAcceptsAndRejects(): void
    {
        $server = $this->program('handshakes');
        $port = $server->port();
        $client = RawClient::connect($port, '/rooms/caf%C3%A9?accept', ['Sec-WebSocket-Protocol' => 'a, b']);
        self::assertStringContainsStringIgnoringCase('x-one: 1', $client->response);
        self::assertStringContainsStringIgnoringCase('x-two: a', $client->response);
        self::assertStringContainsStringIgnoringCase('x-two: b', $client->response);
        self::assertStringContainsStringIgnoringCase('sec-websocket-protocol: b', $client->response);
        self::assertSame('welcome café, offered a, b', $client->receiveText());

        $rejected = RawClient::request($port, '/rooms/x?reject');
        self::assertStringStartsWith('HTTP/1.1 401 ', $rejected->response);
        self::assertStringContainsStringIgnoringCase('content-type: application/json', $rejected->response);
        self::assertSame('again: false', $server->line());
    }

    public function testALaterDecisionCounts(): void
    {
        $server = $this->program('handshakes');
        $port = $server->port();
        // Answered by the next one's coming.
        $waiting = RawClient::open($port, '/rooms/later?later');
        self::assertSame('later: kept', $server->line());
        RawClient::connect($port, '/rooms/x?accept');
        $waiting->readResponse();
        self::assertStringStartsWith('HTTP/1.1 101 ', $waiting->response);
        self::assertStringStartsWith('welcome later', $waiting->receiveText());
    }

    public function testWhoLeavesBeforeTheDecisionIsReported(): void
    {
        $server = $this->program('handshakes');
        $port = $server->port();
        $waiting = RawClient::open($port, '/rooms/later?later');
        self::assertSame('later: kept', $server->line());
        $waiting->cut();
        self::assertSame('gone: 0', $server->line());
        RawClient::connect($port, '/rooms/x?accept');
        self::assertSame('accepted too late: false', $server->line());
    }

    public function testABadHeaderIsRefusedAndTheHandshakeStillWaits(): void
    {
        $server = $this->program('handshakes');
        $client = RawClient::connect($server->port(), '/rooms/x?bad');
        self::assertSame('bad: Invalid', $server->line());
        self::assertSame('nul: Invalid', $server->line());
        self::assertStringStartsWith('welcome x', $client->receiveText());
    }

    public function testAnExceptionIsLoggedAndRejectsWith500(): void
    {
        $server = $this->program('handshakes');
        $response = RawClient::request($server->port(), '/rooms/x?throw')->response;
        self::assertStringStartsWith('HTTP/1.1 500 ', $response);
        self::assertStringContainsString('in onHandshake', $server->line());
    }

    public function testRequestsAreAnsweredAndRefusalsShaped(): void
    {
        $server = $this->program('handshakes');
        $port = $server->port();
        $get = static fn (string $path, string $method = 'GET', string $body = ''): string => file_get_contents(
            "http://127.0.0.1:$port$path",
            false,
            stream_context_create(['http' => [
                'ignore_errors' => true,
                'timeout' => 20,
                'method' => $method,
                'content' => $body,
                'header' => 'Content-Type: text/plain',
            ]]),
        );
        self::assertSame('POST /any?x=1: body', $get('/any?x=1', 'POST', 'body'));
        self::assertSame('{"error":426}', $get('/rooms/x'));
        self::assertSame('Internal Server Error', $get('/throw'));
        self::assertStringContainsString('in onRequest', $server->line());
        self::assertSame('Internal Server Error', $get('/rooms/x?throw'));
        self::assertStringContainsString('in onRefusal', $server->line());
    }

    public function testAnOutcomeIsToldForEachCallThatAsks(): void
    {
        $server = $this->program('handshakes');
        $client = RawClient::connect($server->port(), '/rooms/x?accept');
        $client->receiveText();
        $client->sendText('broadcast');
        self::assertSame('to all', $client->receiveText());
        self::assertSame('outcome 1 0 []', $client->receiveText());
        $client->sendText('multicast');
        self::assertSame([RawClient::BINARY, 'to some'], $client->receive());
        self::assertSame('outcome 1 0 []', $client->receiveText());
        $client->sendText('invalid');
        self::assertSame('refused Invalid', $client->receiveText());
        $client->sendText('ended');
        self::assertSame('refused Closed', $client->receiveText());
    }
}
