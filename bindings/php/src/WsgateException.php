<?php

declare(strict_types=1);

namespace Wsgate;

use RuntimeException;

/** A call that failed. The message names what was wrong: for a setting its name, its value and the bounds. */
class WsgateException extends RuntimeException
{
    final public function __construct(public readonly Status $status, string $message)
    {
        parent::__construct($message, $status->value);
    }
}
