<?php

declare(strict_types=1);

namespace Wsgate;

use Amp\Cancellation as AmpCancellation;

/** Data that come in chunks. Where one is taken, those of amphp/byte-stream are, too. */
interface ReadableStream
{
    /** The next chunk; null at the end. */
    public function read(Cancellation|AmpCancellation|null $cancellation = null): ?string;

    public function isReadable(): bool;

    /** The rest is not wanted. */
    public function close(): void;

    public function isClosed(): bool;
}
