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

    public const EVENT_HANDSHAKE = 1;
    public const EVENT_HANDSHAKE_GONE = 2;
    public const EVENT_ACCEPT = 3;
    public const EVENT_MESSAGE = 4;
    public const EVENT_BEGIN = 5;
    public const EVENT_CHUNK = 6;
    public const EVENT_END = 7;
    public const EVENT_PONG = 8;
    public const EVENT_DRAIN = 9;
    public const EVENT_OUTCOME = 10;
    public const EVENT_CLOSE = 11;
    public const EVENT_REQUEST = 12;
    public const EVENT_LOG = 13;
    public const EVENT_STOPPED = 14;

    public const FLAG_BINARY = 1;
    public const FLAG_CLEAN = 2;
    public const FLAG_COMPRESSED = 4;
    public const FLAG_REFUSED = 256;
    public const FLAG_TRUNCATED = 16777216;

    public const OP_SEND_TEXT = 1;
    public const OP_SEND_BINARY = 2;
    public const OP_BROADCAST_TEXT = 5;
    public const OP_BROADCAST_BINARY = 6;
    public const OP_GATEWAY_ADD = 7;
    public const OP_GATEWAY_REMOVE = 8;
    public const OP_CLIENT_GRANT = 32;
    public const OP_MULTICAST_TEXT = 48;
    public const OP_MULTICAST_BINARY = 49;
    public const OP_BEGIN_TEXT = 64;
    public const OP_BEGIN_BINARY = 65;
    public const OP_CHUNK = 66;
    public const OP_END = 67;
    public const OP_DISCARD = 69;

    public const RECORD_FLAG_OUTCOME = 1;
    public const RECORD_FLAG_COMPRESS_NEVER = 256;
    public const RECORD_FLAG_COMPRESS_ALWAYS = 512;

    public const SEND_FLAG_BINARY = 1;

    public const RECORD_SIZE = 32;
}
