<?php

declare(strict_types=1);

namespace Wsgate;

use ValueError;

/** Pings clients that are silent, and closes those that do not answer with 1008. The library does it. */
final class PeriodicHeartbeatQueue
{
    /**
     * @param int $queuedPingLimit how many pings may stay unanswered
     * @param int $heartbeatPeriod after how long without anything read, in seconds
     */
    public function __construct(
        public readonly int $queuedPingLimit = 3,
        public readonly int $heartbeatPeriod = 10,
    ) {
        if ($queuedPingLimit <= 0) {
            throw new ValueError("The queued ping limit is $queuedPingLimit, and must be above 0");
        }
        if ($heartbeatPeriod <= 0) {
            throw new ValueError("The heartbeat period is $heartbeatPeriod, and must be above 0");
        }
    }
}
