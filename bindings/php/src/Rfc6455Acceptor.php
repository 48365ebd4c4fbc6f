<?php

declare(strict_types=1);

namespace Wsgate;


/** Accepts every proper handshake (RFC 6455 §4.2.1). */
final class Rfc6455Acceptor implements WebsocketAcceptor
{
    public function __construct(private readonly ErrorHandler $errorHandler = new PlainErrorHandler())
    {
    }

    public function handleHandshake(Request $request): Response
    {
        // Handshakes were checked by the library; this is for plain requests that were routed to the endpoint.
        if ($request->getMethod() !== 'GET') {
            return $this->refuse(HttpStatus::METHOD_NOT_ALLOWED, $request, ['allow' => 'GET']);
        }
        $protocols = array_map(trim(...), explode(',', strtolower(implode(',', $request->getHeaderArray('upgrade')))));
        if (!in_array('websocket', $protocols, true)) {
            return $this->refuse(HttpStatus::UPGRADE_REQUIRED, $request, []);
        }
        return new Response(HttpStatus::SWITCHING_PROTOCOLS);
    }

    /** @param array<string, string> $headers */
    private function refuse(int $status, Request $request, array $headers): Response
    {
        $response = $this->errorHandler->handleError($status, null, $request);
        $response->setHeaders($headers);
        return $response;
    }
}
