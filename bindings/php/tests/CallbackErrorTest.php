<?php

declare(strict_types=1);

namespace Wsgate\Tests;

final class CallbackErrorTest extends ServerTestCase
{
    private function assertOthersGoOn(int $port): void
    {
        $other = RawClient::connect($port);
        $other->sendText('hello');
        self::assertSame('hello', $other->receiveText());
        $other->close();
    }

    /** @return iterable<string, array{string, string}> */
    public static function messages(): iterable
    {
        yield 'an exception' => ['throw', 'DomainException in onMessage'];
        yield 'an error' => ['type', 'TypeError strlen(): Argument #1 ($string) must be of type string'];
        yield 'a text that is none' => ['not utf-8', 'WsgateException a text message must be UTF-8'];
        yield 'a large text that is none' => ['not utf-8, large', 'WsgateException a text message must be UTF-8'];
        yield 'a close code that may not be sent' => ['bad close', 'WsgateException close code is 1005'];
        yield 'a close code beyond 32 bits' => ['long close', 'WsgateException close code is 4294967295'];
    }

    /** @dataProvider messages */
    public function testAFailureInOnMessageIsLoggedAndClosesThatClient(string $message, string $logged): void
    {
        $server = $this->program('throwing');
        $client = RawClient::connect($port = $server->port());
        $client->sendText($message);
        self::assertSame([1011, 'Internal server error'], $client->receiveClose());
        self::assertStringStartsWith("log Error wsgate::php $logged", $server->line());
        $this->assertOthersGoOn($port);
        self::assertSame(0, $server->stop(), $server->errors());
        self::assertSame('', $server->rest());
    }

    public function testNothingIsDeliveredAfterAnException(): void
    {
        $server = $this->program('throwing');
        $client = RawClient::connect($server->port());
        $client->write(RawClient::frame(RawClient::TEXT, 'throw') . RawClient::frame(RawClient::TEXT, 'not answered'));
        self::assertSame(1011, $client->receiveClose()[0]);
    }

    public function testAnExceptionInOnAcceptClosesTheClient(): void
    {
        $server = $this->program('throwing');
        $client = RawClient::connect($port = $server->port(), '/accept');
        self::assertSame(1011, $client->receiveClose()[0]);
        self::assertSame('log Error wsgate::php DomainException in onAccept', $server->line());
        $this->assertOthersGoOn($port);
    }

    public function testAnExceptionInOnPongClosesTheClient(): void
    {
        $server = $this->program('throwing');
        $client = RawClient::connect($port = $server->port());
        $client->sendText('ping');
        self::assertSame(1011, $client->receiveClose()[0]);
        self::assertSame('log Error wsgate::php DomainException in onPong', $server->line());
        $this->assertOthersGoOn($port);
    }

    public function testAnExceptionInOnDrainClosesTheClient(): void
    {
        $server = $this->program('throwing');
        $client = RawClient::connect($port = $server->port(), '/drain');
        $client->sendText('go');
        self::assertSame('full', $server->line());
        do {
            [$opcode] = $client->receive();
        } while ($opcode === RawClient::TEXT);
        self::assertSame(RawClient::CLOSE, $opcode);
        self::assertSame('log Error wsgate::php DomainException in onDrain', $server->line());
        $this->assertOthersGoOn($port);
    }

    public function testExceptionsInOutcomesStopNothing(): void
    {
        $server = $this->program('throwing');
        $client = RawClient::connect($port = $server->port(), '/outcome');
        for ($i = 0; $i < 2; $i++) {
            $client->sendText("go $i");
            self::assertSame('text', $client->receiveText());
            self::assertSame("go $i", $client->receiveText());
            for ($j = 0; $j < 2; $j++) {
                self::assertSame('log Error wsgate::php DomainException in an outcome', $server->line());
            }
        }
        $this->assertOthersGoOn($port);
        self::assertSame(0, $server->stop(), $server->errors());
    }

    public function testExceptionsInOnCloseAndInOnLogStopNothing(): void
    {
        $server = $this->program('throwing');
        RawClient::connect($port = $server->port(), '/close')->close();
        self::assertSame('log Error wsgate::php DomainException in onClose', $server->line());
        $this->assertOthersGoOn($port);
        self::assertSame(0, $server->stop());
        self::assertStringContainsString('LogicException: in onLog', $server->errors());
    }
}
