<?php

declare(strict_types=1);

namespace Wsgate;

/** A client's counters and times. Times are nanoseconds since 1970, 0 for never. */
final class ClientInfo
{
    /** The fields of wsgate_client_counters after its size, in its order. */
    private const FIELDS = 21;

    /**
     * @param int $queuedBytes what has not left yet, or had not when the client closed
     * @param int $dropped messages that were dropped because the client was too slow
     * @param int $roundTripNs of the latest ping that was answered, in nanoseconds
     */
    public function __construct(
        public readonly int $bytesIn,
        public readonly int $bytesOut,
        public readonly int $framesIn,
        public readonly int $framesOut,
        public readonly int $messagesIn,
        public readonly int $messagesOut,
        public readonly int $pingsIn,
        public readonly int $pingsOut,
        public readonly int $pongsIn,
        public readonly int $pongsOut,
        public readonly int $unansweredPings,
        public readonly int $queuedBytes,
        public readonly int $dropped,
        public readonly int $connectedNs,
        public readonly int $closedNs,
        public readonly int $lastReadNs,
        public readonly int $lastSendNs,
        public readonly int $lastDataReadNs,
        public readonly int $lastDataSendNs,
        public readonly int $lastHeartbeatNs,
        public readonly int $roundTripNs,
    ) {
    }

    /**
     * @internal
     * @param string $struct a wsgate_client_counters and whatever follows it
     */
    public static function decode(string $struct): self
    {
        return new self(...array_values(unpack('P' . self::FIELDS, $struct, 8)));
    }
}
