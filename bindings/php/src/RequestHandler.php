<?php

declare(strict_types=1);

namespace Wsgate;

/** Answers requests. */
interface RequestHandler
{
    /** Called in a fiber: it may wait. */
    public function handleRequest(Request $request): Response;
}
