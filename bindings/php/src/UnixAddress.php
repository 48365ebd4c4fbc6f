<?php

declare(strict_types=1);

namespace Wsgate;

/** A unix socket. */
final class UnixAddress implements SocketAddress
{
    public function __construct(private readonly string $path)
    {
    }

    public function toString(): string
    {
        return $this->path;
    }

    public function __toString(): string
    {
        return $this->path;
    }
}
