<?php

declare(strict_types=1);

namespace Wsgate;

/** Who or what closed a client. */
enum CloseCause: int
{
    /** The peer sent the first Close frame. */
    case Peer = 1;
    /** Client::close(), or an exception in a callback. */
    case Application = 2;
    /** The peer broke the protocol. */
    case Protocol = 3;
    /** The peer went over a limit. */
    case Limit = 4;
    /** Too many pings stayed unanswered. */
    case Heartbeat = 5;
    /** The peer took broadcasts too slowly. */
    case Slow = 6;
    /** The server stopped. */
    case Shutdown = 7;
    /** The connection ended without a Close frame. */
    case Lost = 8;
}
