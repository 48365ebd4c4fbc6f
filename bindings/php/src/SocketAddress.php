<?php

declare(strict_types=1);

namespace Wsgate;

use Stringable;

/** One end of a connection, or where a server listens. */
interface SocketAddress extends Stringable
{
    public function toString(): string;
}
