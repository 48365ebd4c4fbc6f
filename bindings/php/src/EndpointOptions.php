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
    private const WINDOW_BYTES = 1_048_576;
    private const WINDOW_MESSAGES = 64;
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
     * @param int|null $rateBytes how many bytes a client may send in a second [1 MiB; 0: any number]
     * @param int|null $rateFrames how many frames a client may send in a second [100; 0: any number]
     * @param RatePolicy|null $ratePolicy what becomes of a client that sends more [it is not read until the next second]
     * @param SlowConsumer|null $slowConsumer what becomes of a broadcast for a client that is full [it is closed: 1013]
     * @param bool $textOnly whether binary messages are refused: 1003
     * @param int|null $windowBytes how much of one client's messages the program may have in hand, in bytes [1 MiB]
     * @param int|null $windowMessages how much of one client's messages it may have in hand, in messages [64]
     * @param bool $grants whether a message counts as dealt with when Client::grant() says so, and not when its
     *     closure has returned
     * @param bool $sameHost whether an origin is allowed that is the host of the request itself
     * @param list<string> $subprotocols what the endpoint speaks, the one it likes most first
     * @param float|null $handshakeTimeout how long Endpoint::onHandshake() may take, in seconds [10]; then 503
     * @param Compression|null $compression how messages are compressed [not at all]
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
        public readonly ?RatePolicy $ratePolicy = null,
        public readonly ?SlowConsumer $slowConsumer = null,
        public readonly bool $textOnly = false,
        public readonly ?int $windowBytes = null,
        public readonly ?int $windowMessages = null,
        public readonly bool $grants = false,
        public readonly bool $sameHost = false,
        public readonly array $subprotocols = [],
        public readonly ?float $handshakeTimeout = null,
        public readonly ?Compression $compression = null,
    ) {
    }

    /** @internal */
    public function apply(Engine $engine, int $endpoint): void
    {
        $this->compression?->apply($engine, $endpoint);
        foreach ($this->origins as $origin) {
            $engine->call('wsgate_endpoint_add_origin', $endpoint, $origin, strlen($origin));
        }
        foreach ($this->subprotocols as $name) {
            $engine->call('wsgate_endpoint_add_subprotocol', $endpoint, $name, strlen($name));
        }
        if ($this->gateway !== null) {
            $engine->call('wsgate_endpoint_set_gateway', $endpoint, $this->gateway->getId());
        }
        $milliseconds = static fn (string $setting, ?float $seconds): ?int =>
            $seconds === null ? null : Engine::milliseconds($setting, $seconds);
        // Null leaves the library's default, and of a pair, the other's.
        $this->set($engine, $endpoint, 'same_host', [$this->sameHost ? 1 : null], []);
        $this->set($engine, $endpoint, 'text_only', [$this->textOnly ? 1 : null], []);
        $this->set($engine, $endpoint, 'explicit_grants', [$this->grants ? 1 : null], []);
        $this->set($engine, $endpoint, 'max_message_size', [$this->maxMessageSize], []);
        $this->set($engine, $endpoint, 'max_frame_size', [$this->maxFrameSize], []);
        $this->set($engine, $endpoint, 'max_fragments', [$this->maxFragments], []);
        $this->set($engine, $endpoint, 'frame_split', [$this->frameSplit], []);
        $this->set($engine, $endpoint, 'rate_policy', [$this->ratePolicy?->value], []);
        $this->set($engine, $endpoint, 'slow_consumer', [$this->slowConsumer?->value], []);
        $this->set($engine, $endpoint, 'close_period', [$milliseconds('close period', $this->closePeriod)], []);
        $this->set($engine, $endpoint, 'handshake_timeout', [$milliseconds('handshake timeout', $this->handshakeTimeout)], []);
        $this->set(
            $engine,
            $endpoint,
            'outbox_limit',
            [$this->outboxBytes, $this->outboxMessages],
            [self::OUTBOX_BYTES, self::OUTBOX_MESSAGES],
        );
        $this->set(
            $engine,
            $endpoint,
            'receive_window',
            [$this->windowBytes, $this->windowMessages],
            [self::WINDOW_BYTES, self::WINDOW_MESSAGES],
        );
        $this->set(
            $engine,
            $endpoint,
            'heartbeat',
            [$milliseconds('heartbeat period', $this->heartbeatPeriod), $this->heartbeatLimit],
            [$milliseconds('heartbeat period', self::HEARTBEAT_PERIOD), self::HEARTBEAT_LIMIT],
        );
        $this->set(
            $engine,
            $endpoint,
            'rate_limit',
            [$this->rateBytes, $this->rateFrames],
            [self::RATE_BYTES, self::RATE_FRAMES],
        );
    }

    /**
     * @param list<int|null> $values
     * @param list<int> $defaults in place of nulls, when not all are null
     */
    private function set(Engine $engine, int $endpoint, string $name, array $values, array $defaults): void
    {
        $values = array_filter($values, is_int(...));
        if ($values !== []) {
            $values += $defaults;
            ksort($values);
            $engine->set("wsgate_endpoint_set_$name", strtr($name, '_', ' '), $endpoint, ...$values);
        }
    }
}
