<?php

declare(strict_types=1);

namespace Wsgate;

use Amp\Cancellation as AmpCancellation;
use Closure;
use Throwable;
use Wsgate\Internal\FutureState;
use Wsgate\Internal\Suspension;

/**
 * A result that comes later. Where amphp/amp is installed, Amp\Future stands in its place.
 *
 * An error that nobody awaits, maps or ignores ends what the program's {main} waits for.
 *
 * @template T
 */
final class Future
{
    /** @internal */
    public function __construct(private readonly FutureState $state)
    {
    }

    public static function complete(mixed $value = null): self
    {
        $state = new FutureState();
        $state->complete($value);
        return new self($state);
    }

    public static function error(Throwable $error): self
    {
        $state = new FutureState();
        $state->error($error);
        return new self($state);
    }

    public function isComplete(): bool
    {
        return $this->state->isComplete();
    }

    /** Nobody is to be told of an error. */
    public function ignore(): self
    {
        $this->state->ignore();
        return $this;
    }

    /**
     * Waits for the result.
     *
     * @return T
     * @throws CancelledException when the cancellation comes first; the result can be awaited again
     */
    public function await(Cancellation|AmpCancellation|null $cancellation = null): mixed
    {
        $suspension = new Suspension();
        $id = $this->state->subscribe(static function (?Throwable $error, mixed $value) use ($suspension): void {
            $error === null ? $suspension->resume($value) : $suspension->throw($error);
        });
        $cancellationId = $cancellation?->subscribe($suspension->throw(...));
        try {
            return $suspension->suspend();
        } finally {
            $this->state->unsubscribe($id);
            if ($cancellationId !== null) {
                $cancellation->unsubscribe($cancellationId);
            }
        }
    }

    /** A future of what the closure, which must not wait, makes of the value. */
    public function map(Closure $map): self
    {
        return $this->then(static function (?Throwable $error, mixed $value) use ($map): mixed {
            return $error === null ? $map($value) : throw $error;
        });
    }

    /** A future of the value, or of what the closure makes of the error. */
    public function catch(Closure $catch): self
    {
        return $this->then(static function (?Throwable $error, mixed $value) use ($catch): mixed {
            return $error === null ? $value : $catch($error);
        });
    }

    /** A future of the same result, after the closure was called. */
    public function finally(Closure $finally): self
    {
        return $this->then(static function (?Throwable $error, mixed $value) use ($finally): mixed {
            $finally();
            return $error === null ? $value : throw $error;
        });
    }

    /** @param Closure(?Throwable, mixed): mixed $closure */
    private function then(Closure $closure): self
    {
        $state = new FutureState();
        $this->state->subscribe(static function (?Throwable $error, mixed $value) use ($state, $closure): void {
            try {
                $value = $closure($error, $value);
            } catch (Throwable $e) {
                $state->error($e);
                return;
            }
            $state->complete($value);
        });
        return new self($state);
    }
}
