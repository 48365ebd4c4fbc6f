<?php

declare(strict_types=1);

namespace Wsgate;

/** What becomes of a broadcast for a client whose outbox has no room for it. */
enum SlowConsumer: int
{
    /** The client is closed with 1013. */
    case Close = 0;
    /** The client does not get it. */
    case DropNewest = 1;
    /** The oldest broadcasts that wait for the client are dropped. */
    case DropOldest = 2;
}
