<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Error;
use Fiber;
use Throwable;

/**
 * A fiber, or {main}, that waits once. What it waits for may come before it waits.
 *
 * @internal
 */
final class Suspension implements Task
{
    private readonly ?Fiber $fiber;

    private bool $waiting = false;

    private bool $done = false;

    private mixed $value = null;

    private ?Throwable $error = null;

    public function __construct()
    {
        $this->fiber = Fiber::getCurrent();
    }

    public function suspend(): mixed
    {
        if (!$this->done) {
            if (Tasks::isInPump($this->fiber)) {
                throw new Error('A closure of the callback layer cannot wait: use Wsgate\async() for what does');
            }
            $this->waiting = true;
            try {
                if ($this->fiber === null) {
                    Loop::get()->await($this);
                } else {
                    Fiber::suspend();
                }
            } finally {
                $this->waiting = false;
            }
        }
        if ($this->error !== null) {
            throw $this->error;
        }
        return $this->value;
    }

    /** The first call counts. */
    public function resume(mixed $value = null): void
    {
        if (!$this->done) {
            $this->value = $value;
            $this->wake();
        }
    }

    /** The first call counts. */
    public function throw(Throwable $error): void
    {
        if (!$this->done) {
            $this->error = $error;
            $this->wake();
        }
    }

    public function isDone(): bool
    {
        return $this->done;
    }

    public function run(): void
    {
        // It may have been destroyed meanwhile, with what it belongs to.
        if ($this->fiber?->isSuspended() && $this->waiting) {
            $this->fiber->resume();
        }
    }

    private function wake(): void
    {
        $this->done = true;
        if (!$this->waiting) {
            return;
        }
        if ($this->fiber === null) {
            Loop::get()->awaken();
        } else {
            Tasks::add($this);
        }
    }
}
