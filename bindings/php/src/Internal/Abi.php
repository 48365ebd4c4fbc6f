<?php

declare(strict_types=1);

namespace Wsgate\Internal;

/**
 * The library's numbers as PHP constants: reading them from the FFI object costs a lookup each time.
 * Tests compare them with wsgate.cdef.h.
 *
 * @internal
 */
final class Abi
{
    public const VERSION = 0;

    public const EVENT_ACCEPT = 3;
    public const EVENT_MESSAGE = 4;
    public const EVENT_PONG = 8;
    public const EVENT_DRAIN = 9;
    public const EVENT_CLOSE = 11;
    public const EVENT_LOG = 13;
    public const EVENT_STOPPED = 14;

    public const FLAG_BINARY = 1;
    public const FLAG_CLEAN = 2;

    public const OP_SEND_TEXT = 1;
    public const OP_SEND_BINARY = 2;
    public const OP_BROADCAST_TEXT = 5;
    public const OP_BROADCAST_BINARY = 6;

    public const RECORD_SIZE = 32;
}
