<?php

declare(strict_types=1);

namespace Wsgate;

use Throwable;
use Wsgate\Internal\Cancellable;

/** A cancellation that the program requests. */
final class DeferredCancellation
{
    private readonly Cancellable $cancellation;

    public function __construct()
    {
        $this->cancellation = new Cancellable();
    }

    public function getCancellation(): Cancellation
    {
        return $this->cancellation;
    }

    public function isCancelled(): bool
    {
        return $this->cancellation->isRequested();
    }

    /** @param Throwable|null $previous why; the first call counts */
    public function cancel(?Throwable $previous = null): void
    {
        $this->cancellation->cancel($previous);
    }
}
