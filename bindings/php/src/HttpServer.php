<?php

declare(strict_types=1);

namespace Wsgate;

use Closure;

/** What routers, endpoints and the like know of the server. */
interface HttpServer
{
    public function start(RequestHandler $requestHandler, ErrorHandler $errorHandler): void;

    public function stop(): void;

    /** @param Closure(HttpServer): void $onStart called before the server listens */
    public function onStart(Closure $onStart): void;

    /** @param Closure(HttpServer): void $onStop called when it is about to stop */
    public function onStop(Closure $onStop): void;

    public function getStatus(): HttpServerStatus;
}
