<?php

declare(strict_types=1);

namespace Wsgate;


/** Accepts handshakes from pages of certain origins (RFC 6455 §10.2); the others get 403. */
final class AllowOriginAcceptor implements WebsocketAcceptor
{
    /** @param list<string> $allowOrigins as browsers send them: `https://example.org` */
    public function __construct(
        private readonly array $allowOrigins,
        private readonly ErrorHandler $errorHandler = new PlainErrorHandler(),
        private readonly WebsocketAcceptor $acceptor = new Rfc6455Acceptor(),
    ) {
    }

    public function handleHandshake(Request $request): Response
    {
        if (!in_array($request->getHeader('origin'), $this->allowOrigins, true)) {
            return $this->errorHandler->handleError(HttpStatus::FORBIDDEN, 'Origin forbidden', $request);
        }
        return $this->acceptor->handleHandshake($request);
    }
}
