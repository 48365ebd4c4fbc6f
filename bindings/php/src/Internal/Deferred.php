<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Amp\DeferredFuture;
use Amp\Future as AmpFuture;
use Closure;
use Throwable;
use Wsgate\Future;

/**
 * A future to be completed: an Amp\Future where amphp/amp is there, our own else.
 *
 * @internal
 */
final class Deferred
{
    private readonly FutureState|DeferredFuture $target;

    public function __construct()
    {
        $this->target = class_exists(DeferredFuture::class) ? new DeferredFuture() : new FutureState();
    }

    public function future(): Future|AmpFuture
    {
        return $this->target instanceof FutureState ? new Future($this->target) : $this->target->getFuture();
    }

    public function complete(mixed $value): void
    {
        $this->target->complete($value);
    }

    /** @param Closure(): mixed $make makes the value; amphp's futures want it at once */
    public function completeLazily(Closure $make): void
    {
        if ($this->target instanceof FutureState) {
            $this->target->completeLazily($make);
        } else {
            $this->target->complete($make());
        }
    }

    public function error(Throwable $error): void
    {
        $this->target->error($error);
    }
}
