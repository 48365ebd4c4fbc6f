<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Wsgate\Middleware;
use Wsgate\Request;
use Wsgate\RequestHandler;
use Wsgate\Response;

/** @internal */
final class MiddlewareHandler implements RequestHandler
{
    public function __construct(
        private readonly Middleware $middleware,
        public readonly RequestHandler $inner,
    ) {
    }

    public function handleRequest(Request $request): Response
    {
        return $this->middleware->handleRequest($request, $this->inner);
    }
}
