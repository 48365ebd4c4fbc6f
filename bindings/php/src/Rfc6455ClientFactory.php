<?php

declare(strict_types=1);

namespace Wsgate;

/** What holds for the clients of an endpoint. */
final class Rfc6455ClientFactory
{
    /**
     * @param PeriodicHeartbeatQueue|null $heartbeatQueue null: no heartbeat
     * @param ConstantRateLimit|null $rateLimit null: no limit
     * @param int $frameSplitThreshold from how many bytes on a message is sent in several frames
     * @param int $outboxBytes how much may wait for one client, in bytes; then sending waits, and a broadcast
     *                         closes it with 1013
     * @param int $outboxMessages how much may wait for one client, in messages
     * @param float $closePeriod how long the closing handshake may take, in seconds
     * @param SlowConsumer $slowConsumer what becomes of a broadcast for a client whose outbox is full
     * @param int $windowBytes how much the handler may leave unreceived, in bytes; then the client is not read
     * @param int $windowMessages how much the handler may leave unreceived, in messages
     * @param float $handshakeTimeout how long the acceptor may take, in seconds; then 503
     */
    public function __construct(
        private readonly ?PeriodicHeartbeatQueue $heartbeatQueue = new PeriodicHeartbeatQueue(),
        private readonly ?ConstantRateLimit $rateLimit = new ConstantRateLimit(),
        private readonly Rfc6455ParserFactory $parserFactory = new Rfc6455ParserFactory(),
        private readonly int $frameSplitThreshold = Rfc6455Client::DEFAULT_FRAME_SPLIT_THRESHOLD,
        private readonly float $closePeriod = Rfc6455Client::DEFAULT_CLOSE_PERIOD,
        private readonly int $outboxBytes = 1_048_576,
        private readonly int $outboxMessages = 10_000,
        private readonly SlowConsumer $slowConsumer = SlowConsumer::Close,
        private readonly int $windowBytes = 1_048_576,
        private readonly int $windowMessages = 64,
        private readonly float $handshakeTimeout = 10.0,
    ) {
    }

    /** @internal */
    public function options(?Compression $compression): EndpointOptions
    {
        return new EndpointOptions(
            maxMessageSize: $this->parserFactory->messageSizeLimit,
            maxFrameSize: $this->parserFactory->frameSizeLimit,
            maxFragments: $this->parserFactory->fragmentLimit,
            closePeriod: $this->closePeriod,
            outboxBytes: $this->outboxBytes,
            outboxMessages: $this->outboxMessages,
            frameSplit: $this->frameSplitThreshold,
            heartbeatPeriod: (float) ($this->heartbeatQueue?->heartbeatPeriod ?? 0),
            heartbeatLimit: $this->heartbeatQueue?->queuedPingLimit,
            rateBytes: $this->rateLimit?->bytesPerSecondLimit ?? 0,
            rateFrames: $this->rateLimit?->framesPerSecondLimit ?? 0,
            slowConsumer: $this->slowConsumer,
            textOnly: $this->parserFactory->textOnly,
            windowBytes: $this->windowBytes,
            windowMessages: $this->windowMessages,
            grants: true,
            handshakeTimeout: $this->handshakeTimeout,
            compression: $compression,
        );
    }
}
