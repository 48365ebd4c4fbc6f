<?php

declare(strict_types=1);

namespace Wsgate;

/** Answers errors with a line of text, as the library itself does. */
final class PlainErrorHandler implements ErrorHandler
{
    public function handleError(int $status, ?string $reason = null, ?Request $request = null): Response
    {
        $reason ??= ucfirst(strtolower(HttpStatus::getReason($status)));
        return new Response($status, ['content-type' => 'text/plain; charset=utf-8'], $reason);
    }
}
