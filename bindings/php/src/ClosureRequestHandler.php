<?php

declare(strict_types=1);

namespace Wsgate;

use Closure;

/** A closure as a request handler. */
final class ClosureRequestHandler implements RequestHandler
{
    /** @param Closure(Request): Response $closure */
    public function __construct(private readonly Closure $closure)
    {
    }

    public function handleRequest(Request $request): Response
    {
        return ($this->closure)($request);
    }
}
