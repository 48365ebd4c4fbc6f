<?php

declare(strict_types=1);

namespace Wsgate;

/** Why a call failed, named by what the caller does next. */
enum Status: int
{
    /** A bad argument, or a call in the wrong order: mend the program. */
    case Invalid = -1;
    /** The client, the gateway or the server is gone: forget it. */
    case Closed = -2;
    /** The client's outbox is full: wait for onDrain. */
    case Full = -3;
    /** The time given ran out: try again. */
    case Timeout = -4;
    /** Somebody else has it, an address for instance: choose another or wait. */
    case Busy = -5;
    /** Not allowed inside a callback: do it elsewhere. */
    case Reentrant = -6;
    /** The operating system said no. */
    case Io = -7;
    /** A certificate, a key or a handshake is bad. */
    case Tls = -8;
    /** A setting is out of its bounds: mend the configuration. */
    case Config = -9;
    /** The server was started before a fork, and this is the child: make a new one. */
    case Forked = -10;
    /** A bug in wsgate itself. */
    case Panic = -11;
    /** The library was built without it. */
    case Unsupported = -12;
}
