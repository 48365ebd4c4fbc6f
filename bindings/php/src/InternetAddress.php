<?php

declare(strict_types=1);

namespace Wsgate;

/** An IP address with a port: `127.0.0.1:8080`, `[::1]:8080`. */
final class InternetAddress implements SocketAddress
{
    private readonly string $bytes;

    private readonly string $address;

    /**
     * @param string $address IPv4, or IPv6 with or without brackets
     * @param int $port 0 to 65535
     * @throws SocketException
     */
    public function __construct(string $address, private readonly int $port)
    {
        if ($port < 0 || $port > 65535) {
            throw new SocketException("Port number must be from 0 to 65535, and is $port");
        }
        $bytes = @inet_pton(preg_replace('/^\[(.*:.*)\]$/', '$1', $address));
        if ($bytes === false) {
            throw new SocketException("Invalid address: $address");
        }
        $this->bytes = $bytes;
        $this->address = inet_ntop($bytes);
    }

    /** @throws SocketException */
    public static function fromString(string $address): self
    {
        if (preg_match('/^(.*):(\d{1,5})$/D', $address, $match) !== 1) {
            throw new SocketException("Missing port in address: $address");
        }
        return new self($match[1], (int) $match[2]);
    }

    public static function tryFromString(string $address): ?self
    {
        try {
            return self::fromString($address);
        } catch (SocketException) {
            return null;
        }
    }

    /** Without port and brackets. */
    public function getAddress(): string
    {
        return $this->address;
    }

    /** In network byte order, 4 or 16 bytes. */
    public function getAddressBytes(): string
    {
        return $this->bytes;
    }

    public function getPort(): int
    {
        return $this->port;
    }

    public function toString(): string
    {
        return strlen($this->bytes) === 16 ? "[$this->address]:$this->port" : "$this->address:$this->port";
    }

    public function __toString(): string
    {
        return $this->toString();
    }
}
