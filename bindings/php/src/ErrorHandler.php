<?php

declare(strict_types=1);

namespace Wsgate;

/** Makes the responses for errors, those by which the library refuses handshakes and requests among them. */
interface ErrorHandler
{
    /**
     * @param int $status 400 to 599
     * @param string|null $reason what is wrong; null: what the status says
     */
    public function handleError(int $status, ?string $reason = null, ?Request $request = null): Response;
}
