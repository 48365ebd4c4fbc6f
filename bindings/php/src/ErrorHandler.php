<?php

declare(strict_types=1);

namespace Wsgate;

/** Makes the responses for errors. */
interface ErrorHandler
{
    /**
     * @param int $status 400 to 599
     * @param string|null $reason what is wrong; null: what the status says
     */
    public function handleError(int $status, ?string $reason = null, ?Request $request = null): Response;
}
