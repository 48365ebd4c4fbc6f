<?php

declare(strict_types=1);

namespace Wsgate;

/** Who sent a request. */
final class RequestClient
{
    /** @internal */
    public function __construct(private readonly string $remoteAddress, private readonly string $localAddress)
    {
    }

    public function getRemoteAddress(): SocketAddress
    {
        return self::address($this->remoteAddress);
    }

    public function getLocalAddress(): SocketAddress
    {
        return self::address($this->localAddress);
    }

    /** Null: the connection is not encrypted. */
    public function getTlsInfo(): ?object
    {
        return null;
    }

    private static function address(string $address): SocketAddress
    {
        return InternetAddress::tryFromString($address) ?? new UnixAddress($address);
    }
}
