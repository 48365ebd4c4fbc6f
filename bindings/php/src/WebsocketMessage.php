<?php

declare(strict_types=1);

namespace Wsgate;

use Amp\Cancellation as AmpCancellation;
use Closure;
use IteratorAggregate;
use Stringable;
use Traversable;
use Wsgate\Internal\StreamedPayload;
use Wsgate\Internal\WholePayload;

/**
 * A message of a client. A short one is there as a whole when it is received. A long one, or one that comes in several
 * frames, is received with its first bytes and read as it arrives; dropped or closed, the rest of it is thrown away.
 *
 * @implements IteratorAggregate<int, string>
 */
final class WebsocketMessage implements ReadableStream, IteratorAggregate, Stringable
{
    use WholePayload {
        read as private readWhole;
        buffer as private bufferWhole;
        isReadable as private isWholeReadable;
        close as private closeWhole;
        isClosed as private isWholeClosed;
        onClose as private onWholeClose;
    }

    /** @internal null: it is there as a whole */
    public readonly ?StreamedPayload $stream;

    /** @internal */
    public function __construct(string|StreamedPayload $data, private readonly bool $binary)
    {
        if ($data instanceof StreamedPayload) {
            $this->stream = $data;
            $this->data = null;
        } else {
            $this->stream = null;
            $this->data = $data;
        }
    }

    public static function fromText(string $data): self
    {
        return new self($data, false);
    }

    public static function fromBinary(string $data): self
    {
        return new self($data, true);
    }

    /** Whether it is UTF-8 text. */
    public function isText(): bool
    {
        return !$this->binary;
    }

    public function isBinary(): bool
    {
        return $this->binary;
    }

    /**
     * Waits for the next chunk, which may end in the midst of a character; null at the end. One fiber at a time may read.
     *
     * @throws WebsocketClosedException when the client closes before the end
     * @throws CancelledException
     */
    public function read(Cancellation|AmpCancellation|null $cancellation = null): ?string
    {
        return $this->stream === null ? $this->readWhole() : $this->stream->read($cancellation);
    }

    /**
     * Waits for all that has not been read.
     *
     * @throws BufferException when it is longer than the limit
     * @throws WebsocketClosedException when the client closes before the end
     * @throws CancelledException
     */
    public function buffer(Cancellation|AmpCancellation|null $cancellation = null, int $limit = PHP_INT_MAX): string
    {
        return $this->stream === null
            ? $this->bufferWhole($cancellation, $limit)
            : $this->stream->buffer($cancellation, $limit);
    }

    public function isReadable(): bool
    {
        return $this->stream === null ? $this->isWholeReadable() : $this->stream->isReadable();
    }

    /** The rest is not wanted. */
    public function close(): void
    {
        $this->stream === null ? $this->closeWhole() : $this->stream->close();
    }

    public function isClosed(): bool
    {
        return $this->stream === null ? $this->isWholeClosed() : $this->stream->isClosed();
    }

    /** @param Closure(): void $onClose called when nothing more arrives */
    public function onClose(Closure $onClose): void
    {
        $this->stream === null ? $this->onWholeClose($onClose) : $this->stream->onClose($onClose);
    }

    /** @return Traversable<int, string> */
    public function getIterator(): Traversable
    {
        while (($chunk = $this->read()) !== null) {
            yield $chunk;
        }
    }

    public function __toString(): string
    {
        return $this->stream === null ? $this->data ?? '' : $this->buffer();
    }

    /** @internal in bytes, of what is there and has not been read */
    public function length(): int
    {
        return strlen($this->data ?? '');
    }
}
