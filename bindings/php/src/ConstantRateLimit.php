<?php

declare(strict_types=1);

namespace Wsgate;

use ValueError;

/** How much a client may send in a second. Beyond it the library does not read from it until the second is over. */
final class ConstantRateLimit
{
    public function __construct(
        public readonly int $bytesPerSecondLimit = 1_048_576,
        public readonly int $framesPerSecondLimit = 100,
    ) {
        if ($bytesPerSecondLimit <= 0) {
            throw new ValueError("The limit of bytes per second is $bytesPerSecondLimit, and must be above 0");
        }
        if ($framesPerSecondLimit <= 0) {
            throw new ValueError("The limit of frames per second is $framesPerSecondLimit, and must be above 0");
        }
    }
}
