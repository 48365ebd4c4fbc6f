<?php

declare(strict_types=1);

namespace Wsgate;

use Closure;

/** Ends a wait early. Where amphp/amp is installed, Amp\Cancellation stands in its place. */
interface Cancellation
{
    /**
     * @param Closure(CancelledException): void $callback called once, at once if the request was made already
     * @return string for unsubscribe()
     */
    public function subscribe(Closure $callback): string;

    public function unsubscribe(string $id): void;

    public function isRequested(): bool;

    /** @throws CancelledException when it was requested */
    public function throwIfRequested(): void;
}
