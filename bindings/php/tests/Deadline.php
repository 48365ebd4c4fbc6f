<?php

declare(strict_types=1);

namespace Wsgate\Tests;

use RuntimeException;

/** Waits for streams, but never longer than a test may take. */
final class Deadline
{
    private readonly int $end;

    public function __construct(float $seconds = 20.0)
    {
        $this->end = hrtime(true) + (int) ($seconds * 1e9);
    }

    /** @param resource $stream */
    public function waitReadable($stream, string $for): void
    {
        if (!$this->isReadable($stream)) {
            throw new RuntimeException("waited in vain for $for");
        }
    }

    /** @param resource $stream */
    public function isReadable($stream): bool
    {
        $left = max(0, intdiv($this->end - hrtime(true), 1000));
        $read = [$stream];
        $none = null;
        return stream_select($read, $none, $none, intdiv($left, 1_000_000), $left % 1_000_000) === 1;
    }
}
