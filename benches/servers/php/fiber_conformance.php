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

/** A handler of a closure. */
final class Handler implements WebsocketClientHandler
{
    /** @param Closure(WebsocketClient, Request): void $closure */
    public function __construct(private readonly Closure $closure)
    {
    }

    public function handleClient(WebsocketClient $client, Request $request, Response $response): void
    {
        ($this->closure)($client, $request);
    }
}

/** The endpoints that the conformance scenarios talk to, in every language the same. */
function addFiberConformanceRoutes(Router $router, HttpServer $server, WebsocketClientHandler $echo): void
{
    $add = static function (
        string $path,
        Closure|WebsocketClientHandler $handler,
        WebsocketAcceptor $acceptor = new Rfc6455Acceptor(),
        Rfc6455ParserFactory $parser = new Rfc6455ParserFactory(),
    ) use (
        $router,
        $server,
    ): void {
        $router->addRoute('GET', $path, new Websocket(
            httpServer: $server,
            logger: new NullLogger(),
            acceptor: $acceptor,
            clientHandler: $handler instanceof Closure ? new Handler($handler) : $handler,
            clientFactory: new Rfc6455ClientFactory(null, null, $parser, 0),
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
    $add('/small', $echo, parser: new Rfc6455ParserFactory(false, true, 1000, 500, 4));
    $add('/origin', $echo, new AllowOriginAcceptor(['http://good.example']));

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
}

/** The commands of /room. */
function sayInRoom(WebsocketClientGateway $room, WebsocketClient $client, string $command): void
{
    [$verb, $rest] = explode(' ', $command, 2) + [1 => null];
    switch ([$verb, $rest !== null]) {
        case ['all', true]:
            $room->broadcastText($rest);
            break;
        case ['others', true]:
            $room->broadcastText($rest, [$client->getId()]);
            break;
        case ['bytes', true]:
            $room->broadcastBinary($rest);
            break;
        case ['order', true]:
            for ($i = 1; $i <= (int) $rest; $i++) {
                $client->sendText("d $i");
                $room->broadcastText("b $i");
            }
            break;
        case ['leave', false]:
            $room->removeClient($client);
            $client->sendText('left');
            break;
        case ['join', false]:
            $room->addClient($client);
            $client->sendText('joined');
            break;
        default:
            $client->sendText('what?');
    }
}
