<?php

declare(strict_types=1);

namespace Wsgate;

use Amp\ByteStream\ReadableStream as AmpReadableStream;
use Amp\Cancellation as AmpCancellation;
use Closure;
use Traversable;

/**
 * A client, as its handler sees it. Iterating over it receives its messages until it closes.
 *
 * @extends Traversable<int, WebsocketMessage>
 */
interface WebsocketClient extends Traversable
{
    /**
     * Waits for the next message: for its first bytes, if it is long or comes in several frames. One fiber at a time may
     * wait.
     *
     * @param Cancellation|AmpCancellation|null $cancellation ends the wait; the message is there for the next call
     * @return WebsocketMessage|null null: the client is closed
     * @throws CancelledException
     */
    public function receive(Cancellation|AmpCancellation|null $cancellation = null): ?WebsocketMessage;

    /** Unique in the process, never used again. */
    public function getId(): int;

    public function getLocalAddress(): SocketAddress;

    public function getRemoteAddress(): SocketAddress;

    /** Null: the connection is not encrypted. */
    public function getTlsInfo(): ?object;

    /** @throws \Error while the client is not closed */
    public function getCloseInfo(): WebsocketCloseInfo;

    public function isCompressionEnabled(): bool;

    /**
     * Sends a text. Returns when it is queued; waits while the client's outbox is full.
     *
     * @param string $data UTF-8; anything else closes the client with 1011
     * @throws WebsocketClosedException
     */
    public function sendText(string $data): void;

    /** @throws WebsocketClosedException */
    public function sendBinary(string $data): void;

    /**
     * Sends a text while it is made: its chunks leave as they come. Waits while the client's outbox is full. What is sent
     * meanwhile follows when the stream has ended, in the order of the calls. When the stream throws, the client is closed
     * with 1011, as half a message cannot be taken back.
     *
     * @param ReadableStream|AmpReadableStream|iterable<string> $stream
     * @throws WebsocketClosedException
     */
    public function streamText(ReadableStream|AmpReadableStream|iterable $stream): void;

    /**
     * @param ReadableStream|AmpReadableStream|iterable<string> $stream
     * @throws WebsocketClosedException
     */
    public function streamBinary(ReadableStream|AmpReadableStream|iterable $stream): void;

    public function ping(): void;

    /** Also after the client has closed. */
    public function getCount(WebsocketCount $type): int;

    /** Seconds since 1970, NAN for never. Also after the client has closed. */
    public function getTimestamp(WebsocketTimestamp $type): float;

    /** True from the first Close frame on, whoever sends it. */
    public function isClosed(): bool;

    /**
     * Closes the client. What was sent before goes out first. Does not wait for the peer's answer.
     *
     * @param int $code 1000 to 1003, 1007 to 1014, or 3000 to 4999
     * @param string $reason UTF-8, at most 123 bytes
     */
    public function close(int $code = WebsocketCloseCode::NORMAL_CLOSE, string $reason = ''): void;

    /** @param Closure(int, WebsocketCloseInfo): void $onClose is called, in a fiber, with the client's id */
    public function onClose(Closure $onClose): void;
}
