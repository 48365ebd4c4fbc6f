<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use Throwable;
use Wsgate\Cancellation;
use Wsgate\CancelledException;

/** @internal */
final class Cancellable implements Cancellation
{
    /** @var array<string, Closure(CancelledException): void> */
    private array $callbacks = [];

    private int $last = 0;

    private ?CancelledException $exception = null;

    public function subscribe(Closure $callback): string
    {
        $id = 'c' . ++$this->last;
        if ($this->exception !== null) {
            $callback($this->exception);
        } else {
            $this->callbacks[$id] = $callback;
        }
        return $id;
    }

    public function unsubscribe(string $id): void
    {
        unset($this->callbacks[$id]);
    }

    public function isRequested(): bool
    {
        return $this->exception !== null;
    }

    public function throwIfRequested(): void
    {
        if ($this->exception !== null) {
            throw $this->exception;
        }
    }

    public function cancel(?Throwable $previous): void
    {
        if ($this->exception !== null) {
            return;
        }
        $this->exception = new CancelledException($previous);
        [$callbacks, $this->callbacks] = [$this->callbacks, []];
        foreach ($callbacks as $callback) {
            $callback($this->exception);
        }
    }
}
