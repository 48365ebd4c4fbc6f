<?php

declare(strict_types=1);

namespace Wsgate;

use Psr\Log\LoggerInterface;
use Throwable;

/** An endpoint: the request handler that makes WebSocket clients of those who ask. */
final class Websocket implements RequestHandler
{
    private readonly EndpointOptions $options;

    /**
     * @param HttpServer $httpServer the server whose router leads here
     * @param LoggerInterface $logger is told what handlers throw
     * @param Rfc7692CompressionFactory|null $compressionFactory null: messages are not compressed
     */
    public function __construct(
        HttpServer $httpServer,
        private readonly LoggerInterface $logger,
        private readonly WebsocketAcceptor $acceptor,
        private readonly WebsocketClientHandler $clientHandler,
        ?Rfc7692CompressionFactory $compressionFactory = null,
        Rfc6455ClientFactory $clientFactory = new Rfc6455ClientFactory(),
    ) {
        $this->options = $clientFactory->options($compressionFactory?->settings);
        if ($httpServer instanceof SocketHttpServer) {
            $httpServer->know($this);
        }
    }

    public function handleRequest(Request $request): Response
    {
        $response = $this->acceptor->handleHandshake($request);
        if ($response->getStatus() === HttpStatus::SWITCHING_PROTOCOLS) {
            $response->upgrade($this);
        }
        return $response;
    }

    /** @internal */
    public function options(): EndpointOptions
    {
        return $this->options;
    }

    /** @internal runs the handler for a client, until it is closed */
    public function serve(Rfc6455Client $client, Request $request, Response $response): void
    {
        $client->onEnd(function () use ($client): void {
            $this->closed($client->getCloseInfo());
        });
        try {
            $this->clientHandler->handleClient($client, $request, $response);
        } catch (Throwable $e) {
            if ($e instanceof WebsocketClosedException && $client->isClosed()) {
                return;
            }
            $this->logger->error(sprintf(
                'Unexpected %s thrown from %s::handleClient(), closing websocket connection from %s.',
                $e::class,
                $this->clientHandler::class,
                $client->getRemoteAddress()->toString(),
            ), ['exception' => $e]);
            $client->close(WebsocketCloseCode::UNEXPECTED_SERVER_ERROR, 'Internal server error, aborting');
            return;
        }
        $client->close(WebsocketCloseCode::NORMAL_CLOSE, 'Closing connection');
    }

    /** @internal */
    public function logger(): LoggerInterface
    {
        return $this->logger;
    }

    /** A peer that closes because it did not like what we sent is worth a line. */
    private function closed(WebsocketCloseInfo $info): void
    {
        $isComplaint = in_array($info->getCode(), [
            WebsocketCloseCode::PROTOCOL_ERROR,
            WebsocketCloseCode::UNACCEPTABLE_TYPE,
            WebsocketCloseCode::POLICY_VIOLATION,
            WebsocketCloseCode::INCONSISTENT_FRAME_DATA_TYPE,
            WebsocketCloseCode::MESSAGE_TOO_LARGE,
            WebsocketCloseCode::EXPECTED_EXTENSION_MISSING,
            WebsocketCloseCode::BAD_GATEWAY,
        ], true);
        if ($isComplaint && $info->isByPeer()) {
            $this->logger->notice(sprintf(
                'Client initiated websocket close reporting error (code: %d) %s',
                $info->getCode(),
                $info->getReason(),
            ));
        }
    }
}
