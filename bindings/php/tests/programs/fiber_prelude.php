<?php

declare(strict_types=1);

use Psr\Log\AbstractLogger;
use Wsgate\InternetAddress;
use Wsgate\PlainErrorHandler;
use Wsgate\Request;
use Wsgate\Response;
use Wsgate\Rfc6455Acceptor;
use Wsgate\Rfc6455ClientFactory;
use Wsgate\Rfc7692CompressionFactory;
use Wsgate\Router;
use Wsgate\SocketHttpServer;
use Wsgate\Websocket;
use Wsgate\WebsocketAcceptor;
use Wsgate\WebsocketClient;
use Wsgate\WebsocketClientHandler;

require __DIR__ . '/../../autoload.php';

/** Prints what is worse than information. */
final class PrintingLogger extends AbstractLogger
{
    public function log($level, $message, array $context = []): void
    {
        if (!in_array($level, ['info', 'debug'], true)) {
            echo "log $level $message\n";
        }
    }
}

/** A server on a port of the system's choice, with a router. */
final class Site
{
    public readonly SocketHttpServer $server;
    public readonly Router $router;
    public readonly PrintingLogger $logger;

    public function __construct()
    {
        $this->logger = new PrintingLogger();
        $this->server = SocketHttpServer::createForDirectAccess($this->logger);
        $this->server->expose(new InternetAddress('127.0.0.1', 0));
        $this->router = new Router($this->server, $this->logger, new PlainErrorHandler());
    }

    /** @param Closure(WebsocketClient, Request, Response): void $handler */
    public function endpoint(
        string $path,
        Closure $handler,
        ?Rfc6455ClientFactory $factory = null,
        WebsocketAcceptor $acceptor = new Rfc6455Acceptor(),
        ?Rfc7692CompressionFactory $compression = null,
    ): void {
        $clientHandler = new class ($handler) implements WebsocketClientHandler {
            public function __construct(private readonly Closure $closure)
            {
            }

            public function handleClient(WebsocketClient $client, Request $request, Response $response): void
            {
                ($this->closure)($client, $request, $response);
            }
        };
        $this->router->addRoute('GET', $path, new Websocket(
            httpServer: $this->server,
            logger: $this->logger,
            acceptor: $acceptor,
            clientHandler: $clientHandler,
            compressionFactory: $compression,
            // Tests talk as fast as they can.
            clientFactory: $factory ?? new Rfc6455ClientFactory(rateLimit: null),
        ));
    }

    public function start(): void
    {
        $this->server->start($this->router, new PlainErrorHandler());
        echo "listening on ws://{$this->server->getServers()[0]->getAddress()}/\n";
    }
}
