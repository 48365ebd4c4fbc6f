<?php

declare(strict_types=1);

namespace Wsgate;

use IteratorAggregate;
use Stringable;
use Wsgate\Internal\WholePayload;

/**
 * A message of a client. It is there as a whole when it is received: read() gives it in one chunk.
 *
 * @implements IteratorAggregate<int, string>
 */
final class WebsocketMessage implements ReadableStream, IteratorAggregate, Stringable
{
    use WholePayload;

    /** @internal */
    public function __construct(string $data, private readonly bool $binary)
    {
        $this->data = $data;
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

    /** @internal in bytes, of what has not been read */
    public function length(): int
    {
        return strlen($this->data ?? '');
    }
}
