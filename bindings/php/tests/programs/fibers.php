<?php

// One endpoint for each behaviour of the fiber layer; prints what the logger is told, and what the tests ask for.

declare(strict_types=1);

use Wsgate\CancelledException;
use Wsgate\DeferredCancellation;
use Wsgate\HttpStatus;
use Wsgate\Request;
use Wsgate\Response;
use Wsgate\ResponseCookie;
use Wsgate\Rfc6455ClientFactory;
use Wsgate\Rfc6455ParserFactory;
use Wsgate\TimeoutCancellation;
use Wsgate\TimeoutException;
use Wsgate\WebsocketAcceptor;
use Wsgate\WebsocketClient;
use Wsgate\WebsocketClientGateway;
use Wsgate\WebsocketCloseCode;
use Wsgate\WebsocketCloseInfo;
use Wsgate\WebsocketClosedException;
use Wsgate\WebsocketCount;
use Wsgate\WebsocketTimestamp;

use function Wsgate\async;
use function Wsgate\delay;
use function Wsgate\trapSignal;

require __DIR__ . '/fiber_prelude.php';

$site = new Site();

$site->endpoint('/echo', static function (WebsocketClient $client): void {
    foreach ($client as $message) {
        $message->isBinary() ? $client->sendBinary((string) $message) : $client->sendText((string) $message);
    }
    echo 'ended ', $client->isClosed() ? 'closed' : 'open', "\n";
});

$site->endpoint('/return', static function (WebsocketClient $client): void {
    $client->sendText('bye');
});

$site->endpoint('/throw', static function (WebsocketClient $client): void {
    $client->receive();
    throw new DomainException('from the handler');
});

$site->endpoint('/late', static function (WebsocketClient $client): void {
    // The peer closes while the fiber waits here.
    while ($client->receive() !== null) {
        continue;
    }
    $info = $client->getCloseInfo();
    echo "closed {$info->getCode()} '{$info->getReason()}' ", $info->isByPeer() ? 'by peer' : 'by us', "\n";
    $client->sendText('too late');
});

$site->endpoint('/info', static function (WebsocketClient $client, Request $request): void {
    $client->receive();
    $client->sendText(json_encode([
        'id' => $client->getId(),
        'remote' => (string) $client->getRemoteAddress(),
        'local' => (string) $client->getLocalAddress(),
        'received' => $client->getCount(WebsocketCount::MessagesReceived),
        'connected' => $client->getTimestamp(WebsocketTimestamp::Connected),
        'never' => is_nan($client->getTimestamp(WebsocketTimestamp::Closed)),
        'compressed' => $client->isCompressionEnabled(),
        'tls' => $client->getTlsInfo(),
        'path' => $request->getUri()->getPath(),
    ], JSON_THROW_ON_ERROR));
    try {
        $client->getCloseInfo();
    } catch (Error $e) {
        $client->sendText($e::class);
    }
    $client->onClose(static function (int $id, WebsocketCloseInfo $info) use ($client): void {
        $closed = $client->getTimestamp(WebsocketTimestamp::Closed);
        echo 'sent ', $client->getCount(WebsocketCount::MessagesSent), ' ', $id === $client->getId() ? 'same' : 'other',
            ' ', abs($closed - microtime(true)) < 60 ? 'now' : 'never', " {$info->getCode()} ",
            WebsocketCloseCode::getName($info->getCode()), "\n";
    });
    while ($client->receive() !== null) {
        continue;
    }
    $client->onClose(static function (int $id, WebsocketCloseInfo $info): void {
        echo "onClose after the end {$info->getCode()}\n";
        throw new DomainException('in onClose');
    });
});

$site->endpoint('/message', static function (WebsocketClient $client): void {
    $first = $client->receive();
    $client->sendText($first->isReadable() ? 'readable' : 'closed');
    $client->sendText((string) $first->read() . '|' . json_encode($first->read()) . '|' . $first->buffer());
    $second = $client->receive();
    try {
        $second->buffer(limit: 3);
    } catch (Wsgate\BufferException $e) {
        $client->sendText("over {$e->getBuffer()}");
    }
    $client->sendText($second->buffer() . $second->buffer());
    $third = $client->receive();
    $third->close();
    $client->sendText('[' . $third . ']');
    $client->streamText((static function (): iterable {
        yield 'in ';
        delay(0.001);
        yield 'chunks';
    })());
    $client->streamBinary($client->receive());
});

$site->endpoint('/cancel', static function (WebsocketClient $client): void {
    try {
        $client->receive(new TimeoutCancellation(0.01));
    } catch (CancelledException $e) {
        $client->sendText($e->getPrevious()::class === TimeoutException::class ? 'timeout' : 'cancelled');
    }
    $client->sendText('still ' . $client->receive(new TimeoutCancellation(60)));
    $source = new DeferredCancellation();
    async($source->cancel(...));
    try {
        $client->receive($source->getCancellation());
    } catch (CancelledException) {
        $client->sendText('again');
    }
    try {
        $client->receive($source->getCancellation());
    } catch (CancelledException) {
        $client->sendText('at once');
    }
    $client->sendText('then ' . $client->receive());
    $late = async(static fn () => delay(0.02));
    try {
        $late->await(new TimeoutCancellation(0.001));
    } catch (CancelledException) {
        $late->await();
        $client->sendText('a future, too');
    }
});

$room = new WebsocketClientGateway();
$site->endpoint('/room', static function (WebsocketClient $client) use ($room): void {
    $room->addClient($client);
    $room->addClient($client);
    foreach ($client as $message) {
        [$verb, $rest] = explode(' ', (string) $message, 2) + [1 => ''];
        $ids = array_keys($room->getClients());
        $others = array_values(array_diff($ids, [$client->getId()]));
        $future = match ($verb) {
            'all' => $room->broadcastText($rest),
            'others' => $room->broadcastBinary($rest, [$client->getId()]),
            'some' => $room->multicastText($rest, [...$others, 1, 1]),
            'me' => $room->sendText($rest, $client->getId()),
            'nobody' => $room->sendText($rest, 1),
            'count' => $room->multicastBinary('', []),
            'stop' => null,
        };
        if ($verb === 'count') {
            $client->sendText((string) count($ids));
            continue;
        }
        $outcome = $future->await();
        if ($outcome === null) {
            $client->sendText('done');
            continue;
        }
        [$failed, $sent] = $outcome;
        ksort($sent);
        $client->sendText(count($failed) . ' failed, ' . count($sent) . ' sent'
            . (array_diff(array_keys($sent), $ids) === [] ? '' : ', strangers'));
    }
});

$small = new Rfc6455ClientFactory(rateLimit: null, outboxBytes: 65_536, outboxMessages: 1000);
$site->endpoint('/flood', static function (WebsocketClient $client): void {
    // More than the outbox holds: sending waits for the client to read.
    $text = str_repeat('x', 4096);
    for ($i = 0; $i < 2000; $i++) {
        $client->sendText($text);
    }
    $client->sendText('end');
    $client->receive();
}, $small);

$site->endpoint('/stuck', static function (WebsocketClient $client): void {
    try {
        while (true) {
            $client->sendText(str_repeat('x', 4096));
        }
    } catch (WebsocketClosedException $e) {
        echo "not sent: {$e->getCode()}\n";
        throw $e;
    }
}, $small);

$window = new Rfc6455ClientFactory(rateLimit: null, windowBytes: 65_536, windowMessages: 8);
$site->endpoint('/slow', static function (WebsocketClient $client) use (&$release): void {
    $release = new DeferredCancellation();
    try {
        delay(60, $release->getCancellation());
    } catch (CancelledException) {
        // Go on.
    }
    $client->sendText('before ' . ($client->getCount(WebsocketCount::MessagesReceived) < 200 ? 'few' : 'many'));
    for ($i = 0; $i < 200; $i++) {
        $client->receive();
    }
    $client->sendText('all 200');
}, $window);
$site->endpoint('/release', static function () use (&$release): void {
    $release->cancel();
});

$site->endpoint('/blocks', static function (WebsocketClient $client) use ($room): void {
    $room->addClient($client);
    foreach ($client as $message) {
        // Broadcasts to the others, and then does not yield for a while.
        $room->broadcastText('before the block');
        async(static function () use ($client): void {
            $client->sendText('queued behind');
        });
        delay(0.001);
        usleep(1_500_000);
        $client->sendText('unblocked');
    }
}, new Rfc6455ClientFactory(rateLimit: null, heartbeatQueue: new Wsgate\PeriodicHeartbeatQueue(3, 1)));

$site->endpoint('/many', static function (WebsocketClient $client): void {
    $client->sendText('fiber ' . spl_object_id(Fiber::getCurrent()));
    while ($message = $client->receive()) {
        $client->sendText((string) $message === 'memory' ? (string) memory_get_usage() : (string) $message);
    }
});

$site->endpoint('/deflate', static function (WebsocketClient $client): void {
    $client->sendText(($client->isCompressionEnabled() ? 'on ' : 'off ') . str_repeat('compressible ', 1000));
    $client->receive();
}, compression: new Wsgate\Rfc7692CompressionFactory());

$site->endpoint('/text', static function (WebsocketClient $client): void {
    $client->receive();
}, new Rfc6455ClientFactory(parserFactory: new Rfc6455ParserFactory(textOnly: true)));

$site->endpoint('/invalid', static function (WebsocketClient $client): void {
    $client->receive();
    $client->sendText("\xff");
    $client->receive();
});

$acceptor = new class () implements WebsocketAcceptor {
    public function handleHandshake(Request $request): Response
    {
        delay(0.01);
        if ($request->getHeader('x-slow') !== null) {
            echo "undecided\n";
            try {
                delay(60, $request->getCancellation());
            } catch (CancelledException $e) {
                echo "gone\n";
                throw $e;
            }
        }
        if ($request->getHeader('x-fail') !== null) {
            throw new DomainException('in the acceptor');
        }
        if ($request->getCookie('token')?->getValue() !== 'secret') {
            return new Response(
                HttpStatus::UNAUTHORIZED,
                ['content-type' => 'application/json'],
                '{"error":"no token"}',
            );
        }
        $response = new Response(HttpStatus::SWITCHING_PROTOCOLS, ['x-greeting' => 'hello']);
        $response->setCookie(new ResponseCookie('seen', '1'));
        $response->setHeader('sec-websocket-protocol', 'chat');
        $request->setAttribute('user', 'ada');
        return $response;
    }
};
$site->endpoint('/users/{name}', static function (WebsocketClient $client, Request $request, Response $response): void {
    $arguments = $request->getAttribute(Wsgate\Router::class);
    $client->sendText("{$arguments['name']} {$request->getAttribute('user')} {$response->getHeader('x-greeting')}");
    $client->receive();
}, acceptor: $acceptor);

$site->router->addRoute('POST', '/body', new Wsgate\ClosureRequestHandler(static function (Request $request): Response {
    delay(0.001);
    return new Response(HttpStatus::OK, ['content-type' => 'text/plain'], strrev($request->getBody()->buffer()));
}));
$site->router->addRoute('GET', '/error', new Wsgate\ClosureRequestHandler(static function (): Response {
    throw new Wsgate\HttpErrorException(HttpStatus::GONE, 'Was here');
}));
$site->router->addRoute('GET', '/crash', new Wsgate\ClosureRequestHandler(static function (): Response {
    throw new DomainException('in the request handler');
}));

$site->start();
trapSignal([SIGINT, SIGTERM]);
$site->server->stop();
echo "stopped {$site->server->getStatus()->getLabel()}\n";
