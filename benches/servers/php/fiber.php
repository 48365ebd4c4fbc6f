<?php

/*
 * php fiber.php MODE PORT: the server of the start scripts php-fiber-MODE.sh.
 */

declare(strict_types=1);

use Psr\Log\NullLogger;
use Wsgate\InternetAddress;
use Wsgate\PlainErrorHandler;
use Wsgate\Request;
use Wsgate\Response;
use Wsgate\Rfc6455Acceptor;
use Wsgate\Rfc6455ClientFactory;
use Wsgate\Rfc6455ParserFactory;
use Wsgate\Rfc7692CompressionFactory;
use Wsgate\Router;
use Wsgate\SocketHttpServer;
use Wsgate\Websocket;
use Wsgate\WebsocketClient;
use Wsgate\WebsocketClientGateway;
use Wsgate\WebsocketClientHandler;

require __DIR__ . '/../../../bindings/php/autoload.php';
require __DIR__ . '/deflate.php';
require __DIR__ . '/fiber_conformance.php';

[, $mode, $port] = $argv;

$logger = new NullLogger();
$workers = (int) (getenv('WORKERS') ?: 1);
$server = SocketHttpServer::createForDirectAccess(
    $logger,
    connectionLimit: 0,
    allowedMethods: null,
    workers: $workers,
);
$server->expose(new InternetAddress('127.0.0.1', (int) $port));
$router = new Router($server, $logger, new PlainErrorHandler());

$unlimited = new Rfc6455ClientFactory(
    heartbeatQueue: null,
    rateLimit: null,
    parserFactory: new Rfc6455ParserFactory(
        messageSizeLimit: 64 << 20,
        frameSizeLimit: 64 << 20,
        fragmentLimit: 1_000_000,
    ),
    frameSplitThreshold: 0,
    outboxBytes: 256 << 20,
    outboxMessages: 30_000,
);

$echo = new class () implements WebsocketClientHandler {
    public function handleClient(WebsocketClient $client, Request $request, Response $response): void
    {
        while ($message = $client->receive()) {
            if ($message->isBinary()) {
                $client->sendBinary($message->buffer());
            } else {
                $client->sendText($message->buffer());
            }
        }
    }
};

$broadcast = new class () implements WebsocketClientHandler {
    public function __construct(private readonly WebsocketClientGateway $gateway = new WebsocketClientGateway())
    {
    }

    public function handleClient(WebsocketClient $client, Request $request, Response $response): void
    {
        $this->gateway->addClient($client);
        while ($message = $client->receive()) {
            if ($message->isBinary()) {
                $this->gateway->broadcastBinary($message->buffer());
            } else {
                $this->gateway->broadcastText($message->buffer());
            }
        }
    }
};

$deflate = deflate();
$endpoint = static fn (WebsocketClientHandler $handler): Websocket => new Websocket(
    httpServer: $server,
    logger: $logger,
    acceptor: new Rfc6455Acceptor(),
    clientHandler: $handler,
    clientFactory: $unlimited,
    compressionFactory: $deflate === null ? null : new Rfc7692CompressionFactory($deflate),
);

switch ($mode) {
    case 'echo':
        $router->addRoute('GET', '/', $endpoint($echo));
        break;
    case 'broadcast':
        $router->addRoute('GET', '/', $endpoint($broadcast));
        break;
    case 'conformance':
        addFiberConformanceRoutes($router, $server, $echo);
        break;
    default:
        fwrite(STDERR, "usage: php fiber.php echo|broadcast|conformance PORT\n");
        exit(2);
}

$server->start($router, $mode === 'conformance' ? new RefusalHandler() : new PlainErrorHandler());
echo "listening on ws://{$server->getServers()[0]->getAddress()}/\n";
$server->run();
