<?php

declare(strict_types=1);

namespace Wsgate;

use Exception;

/** A payload was longer than the caller's limit. */
final class BufferException extends Exception
{
    public function __construct(private readonly string $buffer, string $message)
    {
        parent::__construct($message);
    }

    /** What there is. */
    public function getBuffer(): string
    {
        return $this->buffer;
    }
}
