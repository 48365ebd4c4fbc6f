<?php

declare(strict_types=1);

namespace Wsgate\Tests;

use Closure;
use PHPUnit\Framework\TestCase;
use Wsgate\Compression;
use Wsgate\EndpointOptions;
use Wsgate\LogLevel;
use Wsgate\Server;
use Wsgate\Status;
use Wsgate\WsgateException;

use function Wsgate\setInboxBudget;
use function Wsgate\setOutboxBudget;

final class OptionsTest extends TestCase
{
    /** @return iterable<string, array{Closure(Server): mixed, list<string>}> */
    public static function badSettings(): iterable
    {
        $endpoint = static fn (mixed ...$options): Closure =>
            static fn (Server $server) => $server->endpoint('/', new EndpointOptions(...$options));
        $set = static fn (string $name, mixed $value): Closure => static fn (Server $server) => $server->$name($value);
        yield 'inbox budget' => [
            static fn () => setInboxBudget(1_048_575),
            ['inbox budget', '1048575', '1048576', '1125899906842624', 'bytes'],
        ];
        yield 'inbox budget, below 0' => [static fn () => setInboxBudget(-1), ['inbox budget', '-1', '0']];
        yield 'outbox budget' => [static fn () => setOutboxBudget(1 << 51), ['outbox budget', (string) (1 << 51), '1048576']];
        yield 'address' => [$set('listen', 'nowhere'), ['address', '"nowhere"']];
        yield 'workers' => [$set('workers', 2000), ['workers', '2000', '1024']];
        yield 'workers, 33 bits' => [$set('workers', (1 << 32) + 1), ['workers', '1024']];
        yield 'workers, below 0' => [$set('workers', -1), ['workers', '-1', '0']];
        yield 'queue limit' => [$set('queueLimit', 1), ['queue limit', '1', '65536']];
        yield 'directory' => [$set('directory', '/no/where'), ['directory', '/no/where']];
        yield 'path' => [$set('endpoint', 'chat'), ['endpoint', '"chat"', '/']];
        yield 'origin' => [$endpoint(origins: ['good.example']), ['origin', '"good.example"', 'https://']];
        yield 'message size' => [$endpoint(maxMessageSize: 0), ['max message size', '0', '1']];
        yield 'message size, below 0' => [$endpoint(maxMessageSize: -5), ['max message size', '-5', '0']];
        yield 'frame size' => [$endpoint(maxFrameSize: 1 << 40), ['max frame size', (string) (1 << 40), '1073741824']];
        yield 'fragments' => [$endpoint(maxFragments: 0), ['max fragments', '0', '1']];
        yield 'close period' => [$endpoint(closePeriod: 0.0), ['close period', '0', '1', 'milliseconds']];
        yield 'outbox bytes' => [$endpoint(outboxBytes: 0), ['outbox limit', '0', '1', 'bytes']];
        yield 'outbox messages' => [$endpoint(outboxMessages: 100_001), ['outbox limit', '100001', '100000', 'messages']];
        yield 'frame split' => [$endpoint(frameSplit: 1), ['frame split threshold', '1', '128']];
        yield 'heartbeat' => [$endpoint(heartbeatPeriod: 0.001), ['heartbeat period', '1', '50', 'milliseconds']];
        yield 'unanswered pings' => [$endpoint(heartbeatLimit: 0), ['heartbeat limit', '0', '1000']];
        yield 'compression level, 33 bits' => [
            $endpoint(compression: new Compression(level: (1 << 32) + 6)),
            ['compression level', '0', '9'],
        ];
        yield 'compression window, 33 bits' => [
            $endpoint(compression: new Compression(serverWindowBits: (1 << 32) + 12)),
            ['compression window', '9', '15'],
        ];
        yield 'compression memory, 33 bits' => [
            $endpoint(compression: new Compression(memory: (1 << 32) + 5)),
            ['compression memory', '1', '9'],
        ];
        yield 'close period, not a number' => [$endpoint(closePeriod: NAN), ['close period', 'NAN']];
        yield 'close period, for ever' => [$endpoint(closePeriod: INF), ['close period', '3600000', 'milliseconds']];
        yield 'heartbeat, ages' => [$endpoint(heartbeatPeriod: 1e300), ['heartbeat period', 'milliseconds']];
        yield 'heartbeat, below 0' => [$endpoint(heartbeatPeriod: -1.0), ['heartbeat', '-1', '0']];
        yield 'request timeout' => [
            static fn (Server $server) => $server->onRequest(static fn () => null, INF),
            ['request timeout', '3600000'],
        ];
        yield 'compression memory' => [
            $endpoint(compression: new Compression(memory: 10)),
            ['compression memory', '10', '1', '9'],
        ];
        yield 'compression ratio' => [$endpoint(compression: new Compression(ratio: -1)), ['compression ratio', '-1', '0']];
        yield 'rate' => [$endpoint(rateFrames: -1), ['rate limit', '-1', '0']];
    }

    /**
     * @dataProvider badSettings
     * @param Closure(Server): mixed $set
     * @param list<string> $named
     */
    public function testABadSettingIsNamedWithItsValueAndItsBound(Closure $set, array $named): void
    {
        try {
            $set(new Server());
            self::fail('It was taken');
        } catch (WsgateException $e) {
            self::assertSame(Status::Config, $e->status, $e->getMessage());
            foreach ($named as $part) {
                self::assertStringContainsString($part, $e->getMessage());
            }
        }
    }

    public function testGoodSettingsAreTaken(): void
    {
        $server = (new Server())->listen('127.0.0.1:0')->listen('[::1]:0')->workers(2)
            ->logLevel(LogLevel::Debug)->queueLimit(1 << 20)->directory(__DIR__)
            ->onLog(static function (): void {
            });
        $server->endpoint('/', new EndpointOptions(
            origins: ['https://example.org', 'http://127.0.0.1:80'],
            gateway: $server->gateway(),
            maxMessageSize: 1,
            maxFrameSize: 1,
            maxFragments: 1,
            closePeriod: 0.25,
            outboxBytes: 1000,
        ));
        $server->start();
        self::assertGreaterThan(0, $server->getPort(0));
        self::assertNotSame($server->getPort(0), $server->getPort(1));
        $server->stop();
        $server->run();
    }

    public function testSettingsAreRefusedAfterStart(): void
    {
        $server = (new Server())->listen('127.0.0.1:0');
        $server->start();
        $calls = [
            $server->start(...),
            static fn () => $server->workers(1),
            static fn () => $server->endpoint('/x'),
        ];
        foreach ($calls as $call) {
            try {
                $call();
                self::fail('It was taken');
            } catch (WsgateException $e) {
                self::assertSame(Status::Invalid, $e->status, $e->getMessage());
            }
        }
    }

    public function testAnAddressInUseIsBusy(): void
    {
        $first = (new Server())->listen('127.0.0.1:0');
        $first->start();
        $second = (new Server())->listen("127.0.0.1:{$first->getPort()}");
        try {
            $second->start();
            self::fail('Two servers on one address');
        } catch (WsgateException $e) {
            self::assertSame(Status::Busy, $e->status, $e->getMessage());
            self::assertStringContainsString("127.0.0.1:{$first->getPort()}", $e->getMessage());
        }
    }

    public function testAServerThatWasDroppedLeavesItsGatewaysHarmless(): void
    {
        $server = new Server();
        $gateway = $server->gateway();
        unset($server);
        gc_collect_cycles();
        $gateway->broadcastText('to nobody');
        $gateway->close();
        $this->addToAssertionCount(1);
    }
}
