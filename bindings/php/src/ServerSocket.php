<?php

declare(strict_types=1);

namespace Wsgate;

/** Where a SocketHttpServer listens. */
final class ServerSocket
{
    /** @internal */
    public function __construct(private readonly SocketAddress $address)
    {
    }

    /** With the port that the system chose, where the address said 0. */
    public function getAddress(): SocketAddress
    {
        return $this->address;
    }
}
