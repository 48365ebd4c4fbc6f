<?php

declare(strict_types=1);

namespace Wsgate;

/** Serves the clients of an endpoint. */
interface WebsocketClientHandler
{
    /**
     * Called for each client, in a fiber of its own. When it returns, the client is closed with 1000; when it
     * throws, with 1011, and the exception is logged. A WebsocketClosedException of a closed client is neither.
     *
     * @param Request $request the handshake
     * @param Response $response what it was answered with
     */
    public function handleClient(WebsocketClient $client, Request $request, Response $response): void;
}
