<?php

declare(strict_types=1);

namespace Wsgate;

/** Stands before a request handler; see stackMiddleware(). */
interface Middleware
{
    public function handleRequest(Request $request, RequestHandler $requestHandler): Response;
}
