<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use Error;
use Throwable;

/**
 * What a Future and whoever completes it share.
 *
 * @internal
 */
final class FutureState
{
    private bool $complete = false;

    /** Whether somebody has seen an error, or said not to care. */
    private bool $handled = false;

    /** Makes the value when somebody wants it. */
    private ?Closure $make = null;

    private mixed $value = null;

    private ?Throwable $error = null;

    /** @var array<int, Closure(?Throwable, mixed): void> */
    private array $callbacks = [];

    private int $last = 0;

    public function __destruct()
    {
        if ($this->error !== null && !$this->handled) {
            Loop::get()->fail($this->error);
        }
    }

    public function isComplete(): bool
    {
        return $this->complete;
    }

    public function ignore(): void
    {
        $this->handled = true;
    }

    /** @param Closure(?Throwable, mixed): void $callback which must not wait */
    public function subscribe(Closure $callback): int
    {
        $this->handled = true;
        if ($this->complete) {
            $callback($this->error, $this->value());
            return 0;
        }
        $this->callbacks[++$this->last] = $callback;
        return $this->last;
    }

    public function unsubscribe(int $id): void
    {
        unset($this->callbacks[$id]);
    }

    public function complete(mixed $value): void
    {
        $this->value = $value;
        $this->settle();
    }

    /** @param Closure(): mixed $make makes the value, if anybody ever asks */
    public function completeLazily(Closure $make): void
    {
        $this->make = $make;
        $this->settle();
    }

    public function error(Throwable $error): void
    {
        $this->error = $error;
        $this->settle();
    }

    private function value(): mixed
    {
        if ($this->make !== null) {
            [$make, $this->make] = [$this->make, null];
            $this->value = $make();
        }
        return $this->value;
    }

    private function settle(): void
    {
        if ($this->complete) {
            throw new Error('The future is complete already');
        }
        $this->complete = true;
        [$callbacks, $this->callbacks] = [$this->callbacks, []];
        foreach ($callbacks as $callback) {
            $callback($this->error, $this->value());
        }
    }
}
