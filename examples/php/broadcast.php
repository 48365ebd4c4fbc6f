<?php

/*
 * php broadcast.php [ADDRESS [PUBLIC_DIR]]: what anybody says on /broadcast reaches everybody there.
 *
 * This is the program of amphp/websocket-server's README. What differs is written in the comments.
 */

declare(strict_types=1);

use Wsgate\AllowOriginAcceptor;
use Wsgate\ConsoleLogger;
use Wsgate\DefaultErrorHandler;
use Wsgate\DocumentRoot;
use Wsgate\Request;
use Wsgate\Response;
use Wsgate\Router;
use Wsgate\SocketHttpServer;
use Wsgate\Websocket;
use Wsgate\WebsocketClient;
use Wsgate\WebsocketClientGateway;
use Wsgate\WebsocketClientHandler;
use Wsgate\WebsocketGateway;
use Wsgate as Socket;

use function Wsgate\trapSignal;

require __DIR__ . '/../../bindings/php/autoload.php';

// Any PSR-3 logger will do, Monolog's as well.
$logger = new ConsoleLogger();

// The address and the directory are the command line's here.
$address = Socket\InternetAddress::fromString($argv[1] ?? '127.0.0.1:1337');
$public = $argv[2] ?? __DIR__ . '/../public';

$server = SocketHttpServer::createForDirectAccess($logger);

$server->expose($address);

$errorHandler = new DefaultErrorHandler();

$port = $address->getPort();
$acceptor = new AllowOriginAcceptor(
    ["http://localhost:$port", "http://127.0.0.1:$port", "http://[::1]:$port"],
);

$clientHandler = new class () implements WebsocketClientHandler {
    public function __construct(
        private readonly WebsocketGateway $gateway = new WebsocketClientGateway(),
    ) {
    }

    public function handleClient(
        WebsocketClient $client,
        Request $request,
        Response $response,
    ): void {
        $this->gateway->addClient($client);

        foreach ($client as $message) {
            $this->gateway->broadcastText(sprintf(
                '%d: %s',
                $client->getId(),
                (string) $message,
            ));
        }
    }
};

$websocket = new Websocket($server, $logger, $acceptor, $clientHandler);

$router = new Router($server, $logger, $errorHandler);
$router->addRoute('GET', '/broadcast', $websocket);
$router->setFallback(new DocumentRoot($server, $errorHandler, $public));

$server->start($router, $errorHandler);

// Where it listens, for whoever started it with port 0.
echo "listening on http://{$server->getServers()[0]->getAddress()->toString()}/\n";

// Await SIGINT or SIGTERM to be received.
$signal = trapSignal([SIGINT, SIGTERM]);

$logger->info(sprintf('Received signal %d, stopping HTTP server', $signal));

$server->stop();
