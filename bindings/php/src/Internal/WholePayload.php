<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Amp\Cancellation as AmpCancellation;
use Closure;
use Traversable;
use Wsgate\BufferException;
use Wsgate\Cancellation;

/**
 * A payload that is there as a whole, read like a stream.
 *
 * @internal
 */
trait WholePayload
{
    /** Null once it was read or closed. */
    private ?string $data;

    /** The next chunk; null at the end. Today the whole payload is one chunk. */
    public function read(Cancellation|AmpCancellation|null $cancellation = null): ?string
    {
        [$data, $this->data] = [$this->data, null];
        return $data === '' ? null : $data;
    }

    /**
     * What has not been read.
     *
     * @throws BufferException when it is longer than the limit
     */
    public function buffer(
        Cancellation|AmpCancellation|null $cancellation = null,
        int $limit = PHP_INT_MAX,
    ): string {
        $data = $this->data ?? '';
        if (strlen($data) > $limit) {
            throw new BufferException($data, sprintf('A payload of %d bytes is over the limit, %d', strlen($data), $limit));
        }
        return $data;
    }

    public function isReadable(): bool
    {
        return $this->data !== null;
    }

    /** The rest is not wanted. */
    public function close(): void
    {
        $this->data = null;
    }

    public function isClosed(): bool
    {
        return $this->data === null;
    }

    /** @param Closure(): void $onClose called at once: a payload that is there needs nothing that could close */
    public function onClose(Closure $onClose): void
    {
        FiberPool::soon($onClose);
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
        return $this->data ?? '';
    }
}
