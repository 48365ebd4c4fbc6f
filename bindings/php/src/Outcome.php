<?php

declare(strict_types=1);

namespace Wsgate;

/** What became of a broadcast or multicast. */
final class Outcome
{
    /**
     * @internal
     * @param int $delivered clients whose message has left
     * @param int $failed clients that were gone, going, or too slow
     * @param list<int> $failedIds their ids
     * @param bool $truncated more clients failed than there are ids
     * @param Status|null $refused why the library did not take it at all: nobody gets it, and the counts are 0
     */
    public function __construct(
        public readonly int $delivered,
        public readonly int $failed,
        public readonly array $failedIds,
        public readonly bool $truncated = false,
        public readonly ?Status $refused = null,
    ) {
    }
}
