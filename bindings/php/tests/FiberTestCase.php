<?php

declare(strict_types=1);

namespace Wsgate\Tests;

/** Handlers in fibers, as programs of amphp/websocket-server expect them. */
abstract class FiberTestCase extends ServerTestCase
{
    use CompressTests;
    use StreamingTests;

    /** @return array{ServerProcess, int} */
    protected function serve(string $program = 'fibers'): array
    {
        $server = $this->start([...$this->options(), __DIR__ . "/programs/$program.php"]);
        return [$server, $server->port()];
    }

    /** @return array{ServerProcess, int} */
    protected function serveCompressed(): array
    {
        return $this->serve('fiber_compress');
    }

    /** @return list<string> of PHP */
    protected function options(): array
    {
        return [];
    }

    public function testEchoesAndEndsWithItsClient(): void
    {
        [$server, $port] = $this->serve();
        $client = RawClient::connect($port, '/echo');
        for ($i = 0; $i < 300; $i++) {
            $client->sendText("text $i");
            $client->sendBinary("\x00$i");
        }
        for ($i = 0; $i < 300; $i++) {
            self::assertSame([RawClient::TEXT, "text $i"], $client->receive());
            self::assertSame([RawClient::BINARY, "\x00$i"], $client->receive());
        }
        $client->close();
        self::assertSame('ended closed', $server->line());
        self::assertSame(0, $server->stop(), $server->errors());
        self::assertSame('', $server->errors());
    }

    public function testAHandlerThatReturnsClosesWith1000(): void
    {
        [, $port] = $this->serve();
        $client = RawClient::connect($port, '/return');
        self::assertSame('bye', $client->receiveText());
        self::assertSame([1000, 'Closing connection'], $client->receiveClose());
    }

    public function testAHandlerThatThrowsClosesWith1011AndIsLogged(): void
    {
        [$server, $port] = $this->serve();
        $client = RawClient::connect($port, '/throw');
        $client->sendText('go');
        self::assertSame([1011, 'Internal server error, aborting'], $client->receiveClose());
        self::assertStringStartsWith('log error Unexpected DomainException thrown from', $server->line());
    }

    public function testAFiberThatWaitsIsToldWhenTheClientCloses(): void
    {
        [$server, $port] = $this->serve();
        RawClient::connect($port, '/late')->close(4001, 'enough');
        self::assertSame("closed 4001 'enough' by peer", $server->line());
        RawClient::connect($port, '/late')->cut();
        self::assertSame("closed 1006 '' by peer", $server->line());
        // The exception for what was sent too late is nobody's concern.
        self::assertSame(0, $server->stop());
        self::assertSame("stopped Stopped\n", $server->rest());
    }

    public function testAComplaintOfThePeerIsNoticed(): void
    {
        [$server, $port] = $this->serve();
        RawClient::connect($port, '/echo')->close(1008, 'rude');
        self::assertSame('log notice Client initiated websocket close reporting error (code: 1008) rude', $server->line());
    }

    public function testInformationCanBeReadBeforeAndAfterTheEnd(): void
    {
        [$server, $port] = $this->serve();
        $client = RawClient::connect($port, '/info');
        $client->sendText('go');
        $info = json_decode($client->receiveText(), true, flags: JSON_THROW_ON_ERROR);
        self::assertSame("127.0.0.1:$port", $info['local']);
        self::assertStringStartsWith('127.0.0.1:', $info['remote']);
        self::assertSame(1, $info['received']);
        self::assertEqualsWithDelta(microtime(true), $info['connected'], 60);
        self::assertTrue($info['never']);
        self::assertFalse($info['compressed']);
        self::assertNull($info['tls']);
        self::assertSame('/info', $info['path']);
        self::assertSame('Error', $client->receiveText());
        $client->close();
        $lines = [$server->line(), $server->line(), $server->line()];
        sort($lines);
        self::assertSame([
            'log error Unexpected DomainException thrown from an onClose callback.',
            'onClose after the end 1000',
            'sent 2 same now 1000 NORMAL_CLOSE',
        ], $lines);
    }

    public function testAMessageIsReadBufferedOrDropped(): void
    {
        [, $port] = $this->serve();
        $client = RawClient::connect($port, '/message');
        foreach (['first', 'second', 'third', 'fourth'] as $text) {
            $client->sendText($text);
        }
        self::assertSame('readable', $client->receiveText());
        self::assertSame('first|null|', $client->receiveText());
        self::assertSame('over second', $client->receiveText());
        self::assertSame('secondsecond', $client->receiveText());
        self::assertSame('[]', $client->receiveText());
        self::assertSame('in chunks', $client->receiveText());
        self::assertSame([RawClient::BINARY, 'fourth'], $client->receive());
    }

    public function testACancelledReceiveLosesNothing(): void
    {
        [, $port] = $this->serve();
        $client = RawClient::connect($port, '/cancel');
        self::assertSame('timeout', $client->receiveText());
        $client->sendText('there');
        self::assertSame('still there', $client->receiveText());
        self::assertSame('again', $client->receiveText());
        self::assertSame('at once', $client->receiveText());
        $client->sendText('there');
        self::assertSame('then there', $client->receiveText());
        self::assertSame('a future, too', $client->receiveText());
    }

    public function testAGatewaysFuturesTellWhoGotIt(): void
    {
        [$server, $port] = $this->serve();
        $clients = [];
        for ($i = 0; $i < 3; $i++) {
            $clients[] = $client = RawClient::connect($port, '/room');
            $client->sendText('count');
            self::assertSame((string) ($i + 1), $client->receiveText());
        }
        [$a, $b, $c] = $clients;
        $a->sendText('all hello');
        foreach ($clients as $client) {
            self::assertSame('hello', $client->receiveText());
        }
        self::assertSame('0 failed, 3 sent', $a->receiveText());
        $a->sendText('others bytes');
        self::assertSame([RawClient::BINARY, 'bytes'], $b->receive());
        self::assertSame([RawClient::BINARY, 'bytes'], $c->receive());
        self::assertSame('0 failed, 2 sent', $a->receiveText());
        $b->close();
        $a->sendText('some chosen');
        self::assertSame('chosen', $c->receiveText());
        self::assertSame('0 failed, 1 sent', $a->receiveText());
        $a->sendText('me directly');
        self::assertSame('directly', $a->receiveText());
        self::assertSame('done', $a->receiveText());
        $a->sendText('nobody x');
        self::assertSame('done', $a->receiveText());
        $a->sendText('count');
        self::assertSame('2', $a->receiveText());
        self::assertSame(0, $server->stop(), $server->errors());
    }

    public function testSendingWaitsForAClientThatReadsSlowly(): void
    {
        [, $port] = $this->serve();
        $client = RawClient::connect($port, '/flood');
        for ($i = 0; $i < 2000; $i++) {
            self::assertSame(4096, strlen($client->receiveText()));
        }
        self::assertSame('end', $client->receiveText());
    }

    public function testAHandlerThatSendsForEverDoesNotStarveTheOthers(): void
    {
        [$server, $port] = $this->serve();
        $endless = RawClient::connect($port, '/stuck');
        $other = RawClient::connect($port, '/echo');
        for ($i = 0; $i < 20; $i++) {
            // Reads as fast as it is sent to.
            for ($j = 0; $j < 100; $j++) {
                $endless->receive();
            }
            $other->sendText("other $i");
            self::assertSame("other $i", $other->receiveText());
        }
        $endless->cut();
        self::assertSame('not sent: 1006', $server->line());
    }

    public function testASenderThatWaitsIsToldWhenTheClientGoes(): void
    {
        [$server, $port] = $this->serve();
        $client = RawClient::connect($port, '/stuck');
        // The first frame is there, so it is sending.
        $client->receive();
        $client->cut();
        self::assertSame('not sent: 1006', $server->line());
        self::assertSame(0, $server->stop());
        self::assertSame("stopped Stopped\n", $server->rest());
    }

    public function testAHandlerThatDoesNotReceiveHoldsItsOwnClientBackAndNoOther(): void
    {
        [, $port] = $this->serve();
        $slow = RawClient::connect($port, '/slow');
        for ($i = 0; $i < 200; $i++) {
            $slow->sendText(str_repeat('x', 1000));
        }
        $other = RawClient::connect($port, '/echo');
        for ($i = 0; $i < 200; $i++) {
            $other->sendText("other $i");
            self::assertSame("other $i", $other->receiveText());
        }
        RawClient::connect($port, '/release');
        self::assertSame('before few', $slow->receiveText());
        self::assertSame('all 200', $slow->receiveText());
    }

    public function testAHandlerThatNeverYieldsStopsNeitherBroadcastsNorHeartbeats(): void
    {
        [, $port] = $this->serve();
        $listener = RawClient::connect($port, '/room');
        $listener->sendText('count');
        self::assertSame('1', $listener->receiveText());
        $blocker = RawClient::connect($port, '/blocks');
        $blocker->sendText('go');
        $start = hrtime(true);
        self::assertSame('before the block', $listener->receiveText());
        self::assertSame('before the block', $blocker->receiveText());
        self::assertSame('queued behind', $blocker->receiveText());
        // Well before the handler goes on.
        self::assertLessThan(1.0e9, hrtime(true) - $start);
        self::assertSame('unblocked', $blocker->receiveText());
        // The heartbeat's, after a second in which nothing was read.
        self::assertGreaterThan(0, $blocker->pings);
    }

    public function testFibersAreUsedAgain(): void
    {
        [$server, $port] = $this->serve();
        $fibers = [];
        for ($i = 0; $i < 20; $i++) {
            $client = RawClient::connect($port, '/many');
            $fibers[$client->receiveText()] = true;
            $client->close();
        }
        self::assertLessThan(6, count($fibers));
        self::assertSame(0, $server->stop());
    }

    public function testMemoryStaysFlatOverManyMessagesAndClients(): void
    {
        [, $port] = $this->serve();
        $measure = static function (RawClient $client): int {
            $client->sendText('memory');
            return (int) $client->receiveText();
        };
        $client = RawClient::connect($port, '/many');
        $client->receiveText();
        $talk = static function (int $messages) use ($client, $port): void {
            $burst = str_repeat(RawClient::frame(RawClient::TEXT, 'a message'), 100);
            for ($i = 0; $i < $messages; $i += 100) {
                $client->write($burst);
                for ($j = 0; $j < 100; $j++) {
                    $client->receiveText();
                }
            }
            for ($i = 0; $i < 100; $i++) {
                $visitor = RawClient::connect($port, '/many');
                $visitor->receiveText();
                $visitor->close();
            }
        };
        $talk(30_000);
        $before = $measure($client);
        $talk(self::messageCount(30_000));
        self::assertLessThan($before + 100_000, $measure($client));
    }

    public function testTheAcceptorMayWaitAndDecides(): void
    {
        [$server, $port] = $this->serve();
        $refused = RawClient::request($port, '/users/bob');
        self::assertStringStartsWith('HTTP/1.1 401 ', $refused->response);
        self::assertStringContainsStringIgnoringCase('content-type: application/json', $refused->response);
        $headers = ['Cookie' => 'other=1; token=secret', 'Sec-WebSocket-Protocol' => 'superchat, chat'];
        $client = RawClient::connect($port, '/users/bob', $headers);
        self::assertStringContainsStringIgnoringCase('x-greeting: hello', $client->response);
        self::assertStringContainsStringIgnoringCase('set-cookie: seen=1; HttpOnly', $client->response);
        self::assertStringContainsStringIgnoringCase('sec-websocket-protocol: chat', $client->response);
        self::assertSame('bob ada hello', $client->receiveText());
        $failed = RawClient::request($port, '/users/bob', ['X-Fail' => '1']);
        self::assertStringStartsWith('HTTP/1.1 500 ', $failed->response);
        self::assertStringStartsWith('log error Unexpected DomainException', $server->line());
    }

    public function testAnAcceptorHearsThatThePeerHasLeft(): void
    {
        [$server, $port] = $this->serve();
        $client = RawClient::open($port, '/users/bob', ['X-Slow' => '1']);
        self::assertSame('undecided', $server->line());
        $client->cut();
        self::assertSame('gone', $server->line());
        self::assertSame(0, $server->stop(), $server->errors());
        self::assertSame("stopped Stopped\n", $server->rest());
    }

    public function testTheErrorHandlerWordsTheLibrarysRefusals(): void
    {
        [, $port] = $this->serve();
        $refused = RawClient::request($port, '/echo', ['Sec-WebSocket-Key' => 'dGhlIHNhbXBsZSBub25jZQ==']);
        self::assertStringStartsWith('HTTP/1.1 400 ', $refused->response);
        self::assertSame('Bad request', $refused->receiveBytes(11));
    }

    public function testWhatIsNotAcceptedByTheProtocolIsClosed(): void
    {
        [$server, $port] = $this->serve();
        $client = RawClient::connect($port, '/text');
        $client->sendBinary('x');
        self::assertSame(1003, $client->receiveClose()[0]);
        $client = RawClient::connect($port, '/invalid');
        $client->sendText('go');
        self::assertSame(1011, $client->receiveClose()[0]);
        self::assertStringContainsString('must be UTF-8', $server->line());
    }

    public function testMessagesAreCompressedForWhoOffersIt(): void
    {
        [, $port] = $this->serve();
        $text = str_repeat('compressible ', 1000);
        $client = RawClient::connect($port, '/deflate', ['Sec-WebSocket-Extensions' => 'permessage-deflate']);
        self::assertStringContainsStringIgnoringCase('sec-websocket-extensions: permessage-deflate', $client->response);
        [$head, $length] = array_values(unpack('C2', $client->receiveBytes(2)));
        // FIN, RSV1, text.
        self::assertSame(0xc1, $head);
        self::assertLessThan(126, $length);
        $compressed = $client->receiveBytes($length);
        self::assertSame("on $text", inflate_add(inflate_init(ZLIB_ENCODING_RAW), "$compressed\0\0\xff\xff"));
        self::assertSame("off $text", RawClient::connect($port, '/deflate')->receiveText());
    }

    public function testPlainRequestsAreAnswered(): void
    {
        [$server, $port] = $this->serve();
        $get = static fn (string $path, array $options = []) => file_get_contents(
            "http://127.0.0.1:$port$path",
            false,
            stream_context_create(['http' => $options + ['ignore_errors' => true, 'timeout' => 20]]),
        );
        self::assertSame('olleh', $get('/body', ['method' => 'POST', 'content' => 'hello', 'header' => 'Content-Type: text/plain']));
        self::assertSame('Was here', $get('/error'));
        self::assertSame('Not found', $get('/nowhere'));
        self::assertSame('Method not allowed', $get('/body'));
        self::assertSame('Internal server error', $get('/crash'));
        self::assertStringStartsWith('log error Unexpected DomainException with message', $server->line());
    }

    public function testAStopClosesEverybodyWith1001(): void
    {
        [$server, $port] = $this->serve();
        $clients = [RawClient::connect($port, '/echo'), RawClient::connect($port, '/late')];
        // Served, so nothing of them is on its way.
        $clients[0]->sendText('x');
        self::assertSame('x', $clients[0]->receiveText());
        $server->signal(SIGTERM);
        foreach ($clients as $client) {
            self::assertSame([1001, 'Server shutting down'], $client->receiveClose());
        }
        self::assertSame(0, $server->wait(), $server->errors());
        self::assertStringContainsString('stopped Stopped', $server->rest());
    }
}
