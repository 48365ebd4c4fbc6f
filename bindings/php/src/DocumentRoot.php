<?php

declare(strict_types=1);

namespace Wsgate;

use Error;

/**
 * Serves the files of a directory; the library does it, on threads of its own.
 *
 * It must be the server's request handler, or the fallback of its router or of another DocumentRoot. A file
 * goes before a route of the same path, apart from endpoints.
 */
final class DocumentRoot implements RequestHandler
{
    private ?RequestHandler $fallback = null;

    /** @throws Error when it is no directory */
    public function __construct(
        HttpServer $httpServer,
        private readonly ErrorHandler $errorHandler,
        private readonly string $root,
    ) {
        if (!is_dir($root) || !is_readable($root)) {
            throw new Error("Document root requires a readable directory: $root");
        }
        if ($httpServer instanceof SocketHttpServer) {
            $httpServer->know($this);
        }
    }

    /** Sets who answers for what is no file; otherwise it is 404. */
    public function setFallback(RequestHandler $requestHandler): void
    {
        $this->fallback = $requestHandler;
    }

    /** The library has found no file. */
    public function handleRequest(Request $request): Response
    {
        return $this->fallback?->handleRequest($request)
            ?? $this->errorHandler->handleError(HttpStatus::NOT_FOUND, null, $request);
    }

    /** @internal */
    public function root(): string
    {
        return $this->root;
    }

    /** @internal */
    public function fallback(): ?RequestHandler
    {
        return $this->fallback;
    }
}
