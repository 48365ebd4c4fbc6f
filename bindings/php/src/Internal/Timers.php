<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use SplPriorityQueue;

/**
 * The timers of the own loop.
 *
 * @internal
 */
final class Timers
{
    /** In seconds, decades: what is further away would be no integer in nanoseconds. */
    private const FURTHEST = 1e9;

    /** @var SplPriorityQueue<int, int> ids by their time, negated: the earliest comes first */
    private SplPriorityQueue $queue;

    /** @var array<int, Closure(): void> by id; cancelled ones are missing */
    private array $callbacks = [];

    private int $last = 0;

    public function __construct()
    {
        $this->queue = new SplPriorityQueue();
        $this->queue->setExtractFlags(SplPriorityQueue::EXTR_BOTH);
    }

    /** @param Closure(): void $callback */
    public function add(float $seconds, Closure $callback): int
    {
        $id = ++$this->last;
        $this->callbacks[$id] = $callback;
        $this->queue->insert($id, -(hrtime(true) + (int) (min(max(0.0, $seconds), self::FURTHEST) * 1e9)));
        return $id;
    }

    public function cancel(int $id): void
    {
        unset($this->callbacks[$id]);
        if ($this->callbacks === []) {
            $this->queue = new SplPriorityQueue();
            $this->queue->setExtractFlags(SplPriorityQueue::EXTR_BOTH);
        }
    }

    /** Calls those whose time has come. */
    public function fire(): void
    {
        if ($this->callbacks === []) {
            return;
        }
        $now = hrtime(true);
        while (!$this->queue->isEmpty() && -$this->queue->top()['priority'] <= $now) {
            $id = $this->queue->extract()['data'];
            $callback = $this->callbacks[$id] ?? null;
            unset($this->callbacks[$id]);
            if ($callback !== null) {
                $callback();
            }
        }
    }

    /** Nanoseconds until the next one, at least 0; null when there is none. */
    public function next(): ?int
    {
        while (!$this->queue->isEmpty()) {
            ['data' => $id, 'priority' => $time] = $this->queue->top();
            if (isset($this->callbacks[$id])) {
                return max(0, -$time - hrtime(true));
            }
            $this->queue->extract();
        }
        return null;
    }
}
