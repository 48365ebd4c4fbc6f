<?php

declare(strict_types=1);

namespace Wsgate;

use Exception;

/** The previous exception of the CancelledException of a TimeoutCancellation. */
final class TimeoutException extends Exception
{
    public function __construct(string $message = 'Operation timed out')
    {
        parent::__construct($message);
    }
}
