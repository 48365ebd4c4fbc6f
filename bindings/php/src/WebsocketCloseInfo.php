<?php

declare(strict_types=1);

namespace Wsgate;

/** How and when a client was closed. */
final class WebsocketCloseInfo
{
    public function __construct(
        private readonly int $code,
        private readonly string $reason,
        private readonly float $timestamp,
        private readonly bool $byPeer,
        private readonly ?CloseCause $cause = null,
        private readonly bool $clean = false,
    ) {
    }

    /** When, in seconds since 1970. */
    public function getTimestamp(): float
    {
        return $this->timestamp;
    }

    /** See WebsocketCloseCode; applications have codes of their own, too. */
    public function getCode(): int
    {
        return $this->code;
    }

    public function getReason(): string
    {
        return $this->reason;
    }

    /** Whether the peer closed, or was lost. */
    public function isByPeer(): bool
    {
        return $this->byPeer;
    }

    /** Who or what closed; null while the client has not answered a close(). */
    public function getCause(): ?CloseCause
    {
        return $this->cause;
    }

    /** Whether both Close frames were exchanged. */
    public function isClean(): bool
    {
        return $this->clean;
    }
}
