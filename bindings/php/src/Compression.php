<?php

declare(strict_types=1);

namespace Wsgate;

use Wsgate\Internal\Engine;

/** How an endpoint compresses messages, with the clients that offer it: permessage-deflate (RFC 7692). */
final class Compression
{
    /** The parameters have 32 bits: FFI would cut a larger number down to one that may be good. */
    private const MOST = 0xffffffff;

    /**
     * @param int $level 1, fast, to 9, small
     * @param bool $serverTakeover whether our messages may refer to earlier ones: smaller, but a context a client
     * @param bool $clientTakeover whether the client's may
     * @param int|null $serverWindowBits 9 to 15 [12 with takeover, else 15]
     * @param int|null $clientWindowBits 9 to 15 [12 with takeover, else 15]
     * @param int $threshold from how many bytes on a message is compressed
     * @param bool $binary whether binary messages are compressed, too
     * @param int $memory of a context of ours besides its window, 1 to 9: 2^($memory + 9) bytes
     * @param int $ratio how many times its compressed size a client's message may inflate to, where that is more than
     *     64 KiB; 0: the size limits alone bound it
     */
    public function __construct(
        public readonly int $level = 6,
        public readonly bool $serverTakeover = false,
        public readonly bool $clientTakeover = false,
        public readonly ?int $serverWindowBits = null,
        public readonly ?int $clientWindowBits = null,
        public readonly int $threshold = 861,
        public readonly bool $binary = true,
        public readonly int $memory = 5,
        public readonly int $ratio = 0,
    ) {
    }

    /** @internal */
    public function apply(Engine $engine, int $endpoint): void
    {
        $engine->set('wsgate_endpoint_set_compression', 'compression level', $endpoint, min($this->level, self::MOST));
        $engine->call(
            'wsgate_endpoint_set_compression_takeover',
            $endpoint,
            (int) $this->serverTakeover,
            (int) $this->clientTakeover,
        );
        if ($this->serverWindowBits !== null || $this->clientWindowBits !== null) {
            $engine->set(
                'wsgate_endpoint_set_compression_window',
                'compression window',
                $endpoint,
                min($this->serverWindowBits ?? ($this->serverTakeover ? 12 : 15), self::MOST),
                min($this->clientWindowBits ?? ($this->clientTakeover ? 12 : 15), self::MOST),
            );
        }
        $engine->set('wsgate_endpoint_set_compression_memory', 'compression memory', $endpoint, min($this->memory, self::MOST));
        $engine->set('wsgate_endpoint_set_compression_ratio', 'compression ratio', $endpoint, $this->ratio);
        $engine->set(
            'wsgate_endpoint_set_compression_of',
            'compression threshold',
            $endpoint,
            $this->threshold,
            1,
            (int) $this->binary,
        );
    }
}
