<?php

declare(strict_types=1);

namespace Wsgate;

use Exception;
use Throwable;

/**
 * A wait ended because its Cancellation said so; the previous exception says why. Where amphp/amp is installed,
 * Amp\CancelledException stands in its place.
 */
final class CancelledException extends Exception
{
    public function __construct(?Throwable $previous = null)
    {
        parent::__construct('The operation was cancelled', 0, $previous);
    }
}
