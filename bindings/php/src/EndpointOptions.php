<?php

declare(strict_types=1);

namespace Wsgate;

use Wsgate\Internal\Engine;

/** What holds for the clients of an endpoint. Null leaves the library's default, which stands behind each. */
final class EndpointOptions
{
    /** The library's defaults; its setters take two limits at once. */
    private const OUTBOX_BYTES = 1_048_576;
    private const OUTBOX_MESSAGES = 10_000;
    private const HEARTBEAT_PERIOD = 10.0;
    private const HEARTBEAT_LIMIT = 3;
    private const RATE_BYTES = 1_048_576;
    private const RATE_FRAMES = 100;

    /**
     * @param list<string> $origins the origins allowed, as `https://example.org`; none: all are
     * @param Gateway|null $gateway the gateway that clients join by themselves when they are accepted
     * @param int|null $maxMessageSize of a client's message, in bytes [10 MiB]; over it: 1009
     * @param int|null $maxFrameSize of a client's frame, in bytes [1 MiB]; over it: 1009
     * @param int|null $maxFragments of a client's message [65,536]; over it: 1009
     * @param float|null $closePeriod how long the closing handshake may take, in seconds [3]
     * @param int|null $outboxBytes how much may wait for one client, in bytes [1 MiB]
     * @param int|null $outboxMessages how much may wait for one client, in messages [10,000]
     * @param int|null $frameSplit from how many bytes on a message is sent in several frames [32 KiB; 0: always one]
     * @param float|null $heartbeatPeriod after how many seconds without anything read a client is pinged [10; 0: never]
     * @param int|null $heartbeatLimit how many of these pings may stay unanswered [3]; over it: 1008
     * @param int|null $rateBytes how many bytes a client may send in a second [1 MiB; 0: any number]; over it, it is
     *     not read until the next
     * @param int|null $rateFrames how many frames a client may send in a second [100; 0: any number]
     */
    public function __construct(
        public readonly array $origins = [],
        public readonly ?Gateway $gateway = null,
        public readonly ?int $maxMessageSize = null,
        public readonly ?int $maxFrameSize = null,
        public readonly ?int $maxFragments = null,
        public readonly ?float $closePeriod = null,
        public readonly ?int $outboxBytes = null,
        public readonly ?int $outboxMessages = null,
        public readonly ?int $frameSplit = null,
        public readonly ?float $heartbeatPeriod = null,
        public readonly ?int $heartbeatLimit = null,
        public readonly ?int $rateBytes = null,
        public readonly ?int $rateFrames = null,
    ) {
    }

    /** @internal */
    public function apply(Engine $engine, int $endpoint): void
    {
        foreach ($this->origins as $origin) {
            $engine->call('wsgate_endpoint_add_origin', $endpoint, $origin, strlen($origin));
        }
        if ($this->gateway !== null) {
            $engine->call('wsgate_endpoint_set_gateway', $endpoint, $this->gateway->getId());
        }
        $closePeriod = $this->closePeriod === null ? null : (int) round($this->closePeriod * 1000);
        $settings = [
            ['max_message_size', $this->maxMessageSize],
            ['max_frame_size', $this->maxFrameSize],
            ['max_fragments', $this->maxFragments],
            ['close_period', $closePeriod],
            ['frame_split', $this->frameSplit],
        ];
        foreach ($settings as [$name, $value]) {
            if ($value !== null) {
                $engine->set("wsgate_endpoint_set_$name", strtr($name, '_', ' '), $endpoint, $value);
            }
        }
        if ($this->outboxBytes !== null || $this->outboxMessages !== null) {
            $engine->set(
                'wsgate_endpoint_set_outbox_limit',
                'outbox limit',
                $endpoint,
                $this->outboxBytes ?? self::OUTBOX_BYTES,
                $this->outboxMessages ?? self::OUTBOX_MESSAGES,
            );
        }
        if ($this->heartbeatPeriod !== null || $this->heartbeatLimit !== null) {
            $engine->set(
                'wsgate_endpoint_set_heartbeat',
                'heartbeat',
                $endpoint,
                (int) round(1000 * ($this->heartbeatPeriod ?? self::HEARTBEAT_PERIOD)),
                $this->heartbeatLimit ?? self::HEARTBEAT_LIMIT,
            );
        }
        if ($this->rateBytes !== null || $this->rateFrames !== null) {
            $engine->set(
                'wsgate_endpoint_set_rate_limit',
                'rate limit',
                $endpoint,
                $this->rateBytes ?? self::RATE_BYTES,
                $this->rateFrames ?? self::RATE_FRAMES,
            );
        }
    }
}
