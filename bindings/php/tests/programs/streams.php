<?php

// One endpoint for each way to stream.

declare(strict_types=1);

use Wsgate\BufferException;
use Wsgate\CancelledException;
use Wsgate\Rfc6455ClientFactory;
use Wsgate\Rfc6455ParserFactory;
use Wsgate\TimeoutCancellation;
use Wsgate\WebsocketClient;
use Wsgate\WebsocketClosedException;

use function Wsgate\async;
use function Wsgate\delay;
use function Wsgate\trapSignal;

require __DIR__ . '/fiber_prelude.php';

$site = new Site();
$factory = new Rfc6455ClientFactory(
    rateLimit: null,
    parserFactory: new Rfc6455ParserFactory(messageSizeLimit: 20_000_000),
    outboxBytes: 200_000,
);
$endpoint = static fn (string $path, Closure $handler) => $site->endpoint($path, $handler, $factory);

$cut = static function (WebsocketClosedException $e): void {
    echo "cut {$e->getCode()} {$e->getReason()}\n";
};

$endpoint('/read', static function (WebsocketClient $client) use ($cut): void {
    $message = $client->receive();
    $client->sendText(($message->isText() ? 'text' : 'binary') . ', ' . ($message->isReadable() ? 'readable' : 'read'));
    $message->onClose(static fn () => $client->isClosed() || $client->sendText('onClose'));
    try {
        foreach ($message as $chunk) {
            $client->sendText('"' . preg_replace_callback(
                '/[\x80-\xff]/',
                static fn (array $match) => '\x' . bin2hex($match[0]),
                $chunk,
            ) . '"');
        }
    } catch (WebsocketClosedException $e) {
        $cut($e);
        return;
    }
    $client->sendText('end, ' . ($message->isReadable() ? 'readable' : 'read'));
    $client->receive();
});

$endpoint('/late-read', static function (WebsocketClient $client) use ($cut): void {
    $message = $client->receive();
    $client->sendText('text, readable');
    $client->receive();
    try {
        $message->buffer();
    } catch (WebsocketClosedException $e) {
        $cut($e);
    }
});

$endpoint('/close-reading', static function (WebsocketClient $client) use ($cut): void {
    $message = $client->receive();
    async(static fn () => $client->close(reason: 'enough'));
    try {
        $message->buffer();
    } catch (WebsocketClosedException $e) {
        $cut($e);
    }
});

$endpoint('/buffer', static function (WebsocketClient $client): void {
    $message = $client->receive();
    $first = md5($message->buffer());
    $client->sendText(($message->isText() ? 'text' : 'binary') . " $first again " . md5((string) $message));
    $message = $client->receive();
    try {
        $message->buffer(limit: 3);
    } catch (BufferException $e) {
        $client->sendText('over with ' . substr($e->getBuffer(), 0, 4));
    }
    $client->sendText("then $message");
    $client->receive();
});

$endpoint('/close', static function (WebsocketClient $client): void {
    while (($message = $client->receive()) !== null) {
        $message->close();
        $client->sendText($message->isBinary() ? 'received' : 'next');
    }
});

$endpoint('/drop', static function (WebsocketClient $client): void {
    while (($message = $client->receive()) !== null) {
        $text = $message->isBinary() ? 'received' : 'next';
        unset($message);
        $client->sendText($text);
    }
});

$endpoint('/hold', static function (WebsocketClient $client): void {
    foreach ($client as $message) {
        $client->sendText($message->isBinary() ? 'received' : 'next');
    }
});

$endpoint('/cancel', static function (WebsocketClient $client): void {
    $message = $client->receive();
    $data = $message->read();
    try {
        $message->read(new TimeoutCancellation(0.001));
    } catch (CancelledException) {
        $client->sendText('cancelled');
    }
    $data .= $message->read();
    try {
        $message->buffer(new TimeoutCancellation(0.001));
    } catch (CancelledException) {
        $client->sendText('cancelled');
    }
    $client->sendText($data . $message);
    $client->receive();
});

$endpoint('/send', static function (WebsocketClient $client): void {
    $client->streamText((static function () use ($client): iterable {
        yield 'one';
        $client->receive();
        yield '';
        yield 'two';
    })());
    $client->receive();
});

$endpoint('/order', static function (WebsocketClient $client): void {
    $twice = static function (string $word) use ($client): iterable {
        yield $word;
        delay(0.005);
        yield " $word";
    };
    $client->receive();
    $calls = [
        static fn () => $client->streamText($twice('first')),
        static fn () => $client->sendText('sent'),
        static fn () => $client->streamBinary($twice('second')),
        static fn () => $client->sendText('sent later'),
        static fn () => $client->streamText($twice('third')),
    ];
    foreach (array_map(async(...), $calls) as $future) {
        $future->await();
    }
    $client->streamText([]);
    $client->receive();
});

$endpoint('/flood', static function (WebsocketClient $client): void {
    $client->streamBinary((static function (): iterable {
        for ($i = 0; $i < 200; $i++) {
            yield str_repeat(chr($i), $i % 2 === 0 ? 10_000 : 70_000);
        }
    })());
    $client->sendText('end');
    $client->receive();
});

$endpoint('/throw', static function (WebsocketClient $client): void {
    try {
        $client->streamText((static function (): iterable {
            yield 'half';
            delay(0.001);
            throw new DomainException('in the midst');
        })());
    } catch (DomainException $e) {
        echo 'thrown on ', $e::class, "\n";
    }
});

$endpoint('/endless', static function (WebsocketClient $client): void {
    // Waits for the other one.
    async(static function () use ($client): void {
        try {
            delay(0.001);
            $client->streamText(['never']);
        } catch (WebsocketClosedException $e) {
            echo "neither: {$e->getCode()}\n";
        }
    });
    try {
        $client->streamBinary((static function (): iterable {
            while (true) {
                yield str_repeat('x', 10_000);
            }
        })());
    } catch (WebsocketClosedException $e) {
        echo "not sent: {$e->getCode()}\n";
    }
});

$site->start();
trapSignal([SIGINT, SIGTERM]);
$site->server->stop();
