<?php

declare(strict_types=1);

namespace Wsgate\Tests;

use Error;
use Wsgate\Server;

final class LifecycleTest extends ServerTestCase
{
    /** @return iterable<string, array{int}> */
    public static function stopSignals(): iterable
    {
        yield 'SIGTERM' => [SIGTERM];
        yield 'SIGINT' => [SIGINT];
    }

    /** @dataProvider stopSignals */
    public function testASignalStopsTheServerAndEveryClientGetsItsClose(int $signal): void
    {
        $server = $this->program('room');
        $port = $server->port();
        $clients = [RawClient::connect($port, '/?name=a'), RawClient::connect($port, '/?name=b')];
        foreach ($clients as $client) {
            $client->receiveText();
        }
        $server->signal($signal);
        foreach ($clients as $client) {
            self::assertSame([1001, 'Server shutting down'], $client->receiveClose());
        }
        $closed = [$server->line(), $server->line()];
        sort($closed);
        self::assertSame([
            "closed a: 1001 Shutdown clean in=0 out=1 ordered 'Server shutting down'",
            "closed b: 1001 Shutdown clean in=0 out=1 ordered 'Server shutting down'",
        ], $closed);
        self::assertSame('stopped', $server->line());
        self::assertSame(0, $server->wait(), $server->errors());
    }

    public function testAProgramsOwnSignalHandlersAreLeftAlone(): void
    {
        $server = $this->program('signals');
        $server->port();
        $server->signal(SIGUSR1);
        self::assertSame('usr1', $server->line());
        $server->signal(SIGTERM);
        self::assertSame('mine', $server->line());
        self::assertSame('SIGINT is default', $server->line());
        self::assertSame(0, $server->wait(), $server->errors());
    }

    public function testTheServerRunsInsideAnotherLoopAndIsQuietWhenNothingHappens(): void
    {
        $server = $this->program('loop');
        $client = RawClient::connect($server->port());
        foreach (['one', 'two'] as $text) {
            $client->sendText($text);
            self::assertSame($text, $client->receiveText());
        }
        self::assertStringStartsWith('idle ', $server->line());
        $client->sendText('three');
        self::assertSame('three', $client->receiveText());
        $server->signal(SIGTERM);
        self::assertSame(1001, $client->receiveClose()[0]);
        self::assertSame(0, $server->wait(), $server->errors());
        self::assertStringEndsWith("stopped\n", $server->rest());
    }

    public function testAServerMayBeDumpedInEveryState(): void
    {
        $server = $this->program('dumped');
        $client = RawClient::connect($server->port());
        $client->sendText('go');
        self::assertSame('dumped', $client->receiveText());
        $client->close();
        self::assertSame(0, $server->stop(), $server->errors());
        self::assertSame("stopped\n", $server->rest());
    }

    public function testAServerIsNotCopied(): void
    {
        $server = new Server();
        $this->expectException(Error::class);
        $this->expectExceptionMessage('private');
        clone $server;
    }

    public function testAForkedChildIsToldAndTheParentGoesOn(): void
    {
        $server = $this->program('fork');
        $client = RawClient::connect($server->port());
        $client->sendText('fork');
        self::assertSame('child 7', $client->receiveText());
        self::assertStringStartsWith('stop: Forked ', $server->line());
        self::assertStringStartsWith('gateway: Forked ', $server->line());
        self::assertSame('own server: runs', $server->line());
        self::assertSame('run: Forked', $server->line());
        $client->sendText('still here');
        self::assertSame('still here', $client->receiveText());
        $client->close();
        self::assertSame(0, $server->stop(), $server->errors());
    }

    public function testMemoryStaysFlat(): void
    {
        $server = $this->program('memory');
        $port = $server->port();
        $client = RawClient::connect($port);
        $memory = static function () use ($client): int {
            $client->sendText('memory');
            return (int) $client->receiveText();
        };
        $together = str_repeat(RawClient::frame(RawClient::TEXT, str_repeat('x', 100)), 500);
        $echo = static function (int $rounds) use ($client, $together, $port): void {
            for ($round = 0; $round < $rounds; $round++) {
                $client->write($together);
                for ($i = 0; $i < 500; $i++) {
                    $client->receive();
                }
                RawClient::connect($port)->close();
            }
        };
        $echo(40);
        $before = $memory();
        $echo(intdiv(self::messageCount(200_000), 500));
        self::assertLessThan($before + 64 * 1024, $memory());
    }
}
