<?php

declare(strict_types=1);

namespace Wsgate;

/** What becomes of a client that sends more in a second than it may. */
enum RatePolicy: int
{
    /** It is not read until the second is over. */
    case Pause = 0;
    /** It is closed with 1008. */
    case Close = 1;
}
