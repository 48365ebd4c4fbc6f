<?php

declare(strict_types=1);

use Psr\Log\NullLogger;
use Wsgate\AllowOriginAcceptor;
use Wsgate\HttpServer;
use Wsgate\Request;
use Wsgate\Response;
use Wsgate\Rfc6455Acceptor;
use Wsgate\Rfc6455Client;
use Wsgate\Rfc6455ClientFactory;
use Wsgate\Rfc6455ParserFactory;
use Wsgate\Router;
use Wsgate\Websocket;
use Wsgate\WebsocketAcceptor;
use Wsgate\WebsocketClient;
use Wsgate\WebsocketClientGateway;
use Wsgate\WebsocketClientHandler;
use Wsgate\WebsocketCloseInfo;
use Wsgate\WebsocketMessage;

use function Wsgate\async;

require __DIR__ . '/endpoints.php';
require __DIR__ . '/fiber_decisions.php';
require __DIR__ . '/fiber_streams.php';

/** A handler of a closure. */
final class Handler implements WebsocketClientHandler
{
    /** @param Closure(WebsocketClient, Request, Response): void $closure */
    public function __construct(private readonly Closure $closure)
    {
    }

    public function handleClient(WebsocketClient $client, Request $request, Response $response): void
    {
        ($this->closure)($client, $request, $response);
    }
}

/** Clients say as much and as little as they like, and get what they are sent frame by frame. */
function clientsAtWill(
    Rfc6455ParserFactory $parser = new Rfc6455ParserFactory(),
    float $handshakeTimeout = 10.0,
): Rfc6455ClientFactory {
    return new Rfc6455ClientFactory(
        heartbeatQueue: null,
        rateLimit: null,
        parserFactory: $parser,
        frameSplitThreshold: 0,
        handshakeTimeout: $handshakeTimeout,
    );
}

/** The endpoints that the conformance scenarios talk to, in every language the same. */
function addFiberConformanceRoutes(Router $router, HttpServer $server, WebsocketClientHandler $echo): void
{
    $add = static function (
        string $path,
        Closure|WebsocketClientHandler $handler,
        WebsocketAcceptor $acceptor = new Rfc6455Acceptor(),
        ?Rfc6455ClientFactory $factory = null,
    ) use (
        $router,
        $server,
    ): void {
        $router->addRoute('GET', $path, new Websocket(
            httpServer: $server,
            logger: new NullLogger(),
            acceptor: $acceptor,
            clientHandler: $handler instanceof Closure ? new Handler($handler) : $handler,
            clientFactory: $factory ?? clientsAtWill(),
        ));
    };
    $sendBack = static function (WebsocketClient $client, WebsocketMessage $message): void {
        if ($message->isBinary()) {
            $client->sendBinary($message->buffer());
        } else {
            $client->sendText($message->buffer());
        }
    };

    $add('/echo', $echo);
    $add('/small', $echo, factory: clientsAtWill(new Rfc6455ParserFactory(false, true, 1000, 500, 4)));
    $add('/origin', $echo, new AllowOriginAcceptor(['http://good.example'], new RefusalHandler()));

    $add('/welcome', static function (WebsocketClient $client, Request $request) use ($sendBack): void {
        $value = $request->getHeader('x-test');
        $client->sendText("welcome {$request->getTarget()}" . ($value === null ? '' : " $value"));
        foreach ($client as $message) {
            $sendBack($client, $message);
        }
    });

    $add('/close', static function (WebsocketClient $client): void {
        [$code, $reason] = explode(' ', (string) $client->receive(), 2) + [1 => ''];
        $client->close((int) $code, $reason);
    });

    $add('/ping', static function (WebsocketClient $client): void {
        assert($client instanceof Rfc6455Client);
        foreach ($client as $message) {
            $ticket = (string) $message;
            async(static function () use ($client, $ticket): void {
                $client->measureRoundTrip();
                $client->sendText("pong $ticket");
            })->ignore();
        }
    });

    $room = new WebsocketClientGateway();
    $add('/room', static function (WebsocketClient $client) use ($room): void {
        $room->addClient($client);
        foreach ($client as $message) {
            sayInRoom($room, $client, (string) $message);
        }
    });

    $watchers = new WebsocketClientGateway();
    $add('/watch', static function (WebsocketClient $client) use ($watchers): void {
        $watchers->addClient($client);
        while ($client->receive() !== null) {
            // Watchers only listen.
        }
    });
    $add('/watched', static function (WebsocketClient $client, Request $request) use ($watchers, $sendBack): void {
        $client->onClose(static function (int $id, WebsocketCloseInfo $info) use ($client, $watchers): void {
            $watchers->broadcastText(implode(' ', [
                'close',
                $info->getCode(),
                strtolower($info->getCause()->name),
                (int) $info->isClean(),
                $client->getCount(Wsgate\WebsocketCount::MessagesReceived),
                $client->getCount(Wsgate\WebsocketCount::MessagesSent),
                $info->getReason(),
            ]));
        });
        $watchers->broadcastText('accept ' . $request->getTarget());
        foreach ($client as $message) {
            if ($message->isText() && str_starts_with((string) $message, 'bye ')) {
                [, $code, $reason] = explode(' ', (string) $message, 3) + [2 => ''];
                $client->close((int) $code, $reason);
            } else {
                $sendBack($client, $message);
            }
        }
    });

    addFiberStreamRoutes($add);
    addFiberDecisionRoutes($router, $add, $echo, $sendBack);
}

/** The commands of /room. */
function sayInRoom(WebsocketClientGateway $room, WebsocketClient $client, string $command): void
{
    foreach (roomActions($command) as [$action, $text]) {
        match ($action) {
            'send' => $client->sendText($text),
            'all' => $room->broadcastText($text),
            'others' => $room->broadcastText($text, [$client->getId()]),
            'bytes' => $room->broadcastBinary($text),
            'leave' => $room->removeClient($client),
            'join' => $room->addClient($client),
        };
    }
}
