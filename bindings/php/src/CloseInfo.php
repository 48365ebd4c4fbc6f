<?php

declare(strict_types=1);

namespace Wsgate;

/** How a client ended. */
final class CloseInfo
{
    /**
     * @param int $code 1005 when the peer's Close frame had none, 1006 when the connection was lost
     *                  (RFC 6455 §7.4.1)
     * @param bool $clean whether both Close frames were exchanged
     */
    public function __construct(
        public readonly int $code,
        public readonly string $reason,
        public readonly CloseCause $cause,
        public readonly bool $clean,
        public readonly ClientInfo $client,
    ) {
    }
}
