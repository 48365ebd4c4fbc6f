<?php

// Waits for so many clients, each with a fiber that receives, and then tells all of them.

declare(strict_types=1);

use Wsgate\InternetAddress;
use Wsgate\PlainErrorHandler;
use Wsgate\Request;
use Wsgate\Response;
use Wsgate\Rfc6455Acceptor;
use Wsgate\SocketHttpServer;
use Wsgate\Websocket;
use Wsgate\WebsocketClient;
use Wsgate\WebsocketClientGateway;
use Wsgate\WebsocketClientHandler;

require __DIR__ . '/fiber_prelude.php';

posix_setrlimit(POSIX_RLIMIT_NOFILE, 8192, posix_getrlimit()['hard openfiles'] === 'unlimited' ? -1 : posix_getrlimit()['hard openfiles']);

$logger = new PrintingLogger();
$server = SocketHttpServer::createForDirectAccess($logger, connectionLimit: 0);
$server->expose(new InternetAddress('127.0.0.1', 0));
$handler = new class ((int) $argv[1]) implements WebsocketClientHandler {
    private int $here = 0;

    public function __construct(
        private readonly int $expected,
        private readonly WebsocketClientGateway $gateway = new WebsocketClientGateway(),
    ) {
    }

    public function handleClient(WebsocketClient $client, Request $request, Response $response): void
    {
        $this->gateway->addClient($client);
        $client->receive();
        if (++$this->here === $this->expected) {
            echo "all $this->here are here\n";
            $this->gateway->broadcastText('hello')->await();
        }
        $client->receive();
        if (--$this->here === 0) {
            echo "all have left\n";
        }
    }
};
$server->start(new Websocket($server, $logger, new Rfc6455Acceptor(), $handler), new PlainErrorHandler());
echo "listening on ws://{$server->getServers()[0]->getAddress()}/\n";
$server->run();
