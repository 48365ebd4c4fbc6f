<?php

declare(strict_types=1);

namespace Wsgate;

use Closure;
use Wsgate\Internal\Cancellable;
use Wsgate\Internal\Loop;

/** A cancellation that comes after a time. */
final class TimeoutCancellation implements Cancellation
{
    private readonly Cancellable $cancellation;

    private readonly string $timer;

    /** @param float $timeout in seconds */
    public function __construct(float $timeout, string $message = 'Operation timed out')
    {
        $this->cancellation = $cancellation = new Cancellable();
        $this->timer = Loop::get()->delay($timeout, static function () use ($cancellation, $message): void {
            $cancellation->cancel(new TimeoutException($message));
        });
    }

    public function __destruct()
    {
        Loop::get()->cancel($this->timer);
    }

    public function subscribe(Closure $callback): string
    {
        return $this->cancellation->subscribe($callback);
    }

    public function unsubscribe(string $id): void
    {
        $this->cancellation->unsubscribe($id);
    }

    public function isRequested(): bool
    {
        return $this->cancellation->isRequested();
    }

    public function throwIfRequested(): void
    {
        $this->cancellation->throwIfRequested();
    }
}
