<?php

/*
 * php auth.php [ADDRESS]: only who logs in gets in.
 *
 * A client shows its token as a cookie or as "Authorization: Bearer TOKEN". The acceptor looks it up, which takes its
 * time, and refuses with 401 and JSON; the handler then knows who it talks to. Tokens: "ada", "grace".
 */

declare(strict_types=1);

use Wsgate\ConsoleLogger;
use Wsgate\DefaultErrorHandler;
use Wsgate\HttpStatus;
use Wsgate\InternetAddress;
use Wsgate\Request;
use Wsgate\Response;
use Wsgate\Rfc6455Acceptor;
use Wsgate\Router;
use Wsgate\SocketHttpServer;
use Wsgate\Websocket;
use Wsgate\WebsocketAcceptor;
use Wsgate\WebsocketClient;
use Wsgate\WebsocketClientHandler;

use function Wsgate\delay;
use function Wsgate\trapSignal;

require __DIR__ . '/../../bindings/php/autoload.php';

final class TokenAcceptor implements WebsocketAcceptor
{
    private const USERS = ['ada' => 'Ada Lovelace', 'grace' => 'Grace Hopper'];

    public function __construct(private readonly WebsocketAcceptor $acceptor = new Rfc6455Acceptor())
    {
    }

    public function handleHandshake(Request $request): Response
    {
        $user = $this->lookUp($this->token($request));
        if ($user === null) {
            return new Response(
                HttpStatus::UNAUTHORIZED,
                ['content-type' => 'application/json', 'www-authenticate' => 'Bearer'],
                '{"error":"unknown token"}',
            );
        }
        $request->setAttribute('user', $user);
        return $this->acceptor->handleHandshake($request);
    }

    private function token(Request $request): string
    {
        if (preg_match('/^Bearer (\S+)$/iD', $request->getHeader('authorization') ?? '', $match) === 1) {
            return $match[1];
        }
        return $request->getCookie('token')?->getValue() ?? '';
    }

    /** A database would be asked here. Others are served meanwhile. */
    private function lookUp(string $token): ?string
    {
        delay(0.1);
        return self::USERS[$token] ?? null;
    }
}

$logger = new ConsoleLogger();
$errorHandler = new DefaultErrorHandler();
$server = SocketHttpServer::createForDirectAccess($logger);
$server->expose(InternetAddress::fromString($argv[1] ?? '127.0.0.1:9001'));

$handler = new class () implements WebsocketClientHandler {
    public function handleClient(WebsocketClient $client, Request $request, Response $response): void
    {
        $client->sendText("hello {$request->getAttribute('user')}");
        foreach ($client as $message) {
            $client->sendText((string) $message);
        }
    }
};

$router = new Router($server, $logger, $errorHandler);
$router->addRoute('GET', '/', new Websocket($server, $logger, new TokenAcceptor(), $handler));
$server->start($router, $errorHandler);

echo "listening on ws://{$server->getServers()[0]->getAddress()}/\n";
trapSignal([SIGINT, SIGTERM]);
$server->stop();
