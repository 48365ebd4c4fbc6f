<?php

declare(strict_types=1);

namespace Wsgate;

use Exception;
use Throwable;

/** Thrown by a request handler or acceptor: the error handler makes the response. */
final class HttpErrorException extends Exception
{
    public function __construct(
        private readonly int $status,
        private readonly ?string $reason = null,
        ?Throwable $previous = null,
    ) {
        parent::__construct(rtrim("Error $status: $reason", ': '), 0, $previous);
    }

    public function getStatus(): int
    {
        return $this->status;
    }

    public function getReason(): ?string
    {
        return $this->reason;
    }
}
