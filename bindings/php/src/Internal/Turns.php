<?php

declare(strict_types=1);

namespace Wsgate\Internal;

/**
 * One after the other, in the order in which they came.
 *
 * @internal
 */
final class Turns
{
    private bool $isTaken = false;

    /** @var list<Suspension> */
    private array $waiting = [];

    /** Waits for its turn. */
    public function take(): void
    {
        if (!$this->isTaken) {
            $this->isTaken = true;
            return;
        }
        $this->waiting[] = $suspension = new Suspension();
        $suspension->suspend();
    }

    /** The turn is the next one's. */
    public function pass(): void
    {
        $next = array_shift($this->waiting);
        if ($next === null) {
            $this->isTaken = false;
        } else {
            $next->resume();
        }
    }

    public function areWaitedFor(): bool
    {
        return $this->waiting !== [];
    }
}
