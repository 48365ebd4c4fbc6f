<?php

declare(strict_types=1);

namespace Wsgate;

/** Answers errors with a small HTML page. */
final class DefaultErrorHandler implements ErrorHandler
{
    public function handleError(int $status, ?string $reason = null, ?Request $request = null): Response
    {
        $words = htmlspecialchars($reason ?? HttpStatus::getReason($status));
        $page = "<!DOCTYPE html>\n<html lang=\"en\">\n<title>$status $words</title>\n<h1>$status</h1>\n<p>$words</p>\n</html>\n";
        return new Response($status, ['content-type' => 'text/html; charset=utf-8'], $page);
    }
}
