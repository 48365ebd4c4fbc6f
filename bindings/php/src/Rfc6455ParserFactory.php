<?php

declare(strict_types=1);

namespace Wsgate;

use ValueError;

/** What clients may send. */
final class Rfc6455ParserFactory
{
    /**
     * @param bool $textOnly binary messages close with 1003
     * @param bool $validateUtf8 is always done; false is refused
     * @param int $messageSizeLimit in bytes; over it: 1009
     * @param int $frameSizeLimit in bytes; over it: 1009
     * @param int $fragmentLimit of a message; over it: 1009
     */
    public function __construct(
        public readonly bool $textOnly = false,
        bool $validateUtf8 = true,
        public readonly int $messageSizeLimit = 10_485_760,
        public readonly int $frameSizeLimit = 1_048_576,
        public readonly int $fragmentLimit = 65_536,
    ) {
        if (!$validateUtf8) {
            throw new ValueError('Text is always checked to be UTF-8 (RFC 6455 §8.1): leave validateUtf8 at true');
        }
    }
}
