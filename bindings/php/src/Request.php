<?php

declare(strict_types=1);

namespace Wsgate;

/** The HTTP request that a client began with. */
final class Request
{
    /**
     * @param array<string, list<string>> $headers by lower-case name, in the order of arrival
     * @param array<string, string> $parameters
     */
    private function __construct(
        private readonly string $method,
        private readonly string $target,
        private readonly string $remoteAddress,
        private readonly string $localAddress,
        private readonly string $subprotocol,
        private readonly array $headers,
        private readonly array $parameters,
    ) {
    }

    /**
     * @internal
     * @param string $data the payload of an ACCEPT event: eight lengths, a pair of lengths for each
     *                     header and parameter, then all the strings without separators
     */
    public static function decode(string $data): self
    {
        [1 => $headerCount, 2 => $method, 3 => $target, 4 => $remote, 5 => $local, 6 => $subprotocol,
            7 => $parameterCount] = unpack('V8', $data);
        $lengths = [$method, $target, $remote, $local, $subprotocol];
        $pairs = $headerCount + $parameterCount;
        if ($pairs > 0) {
            array_push($lengths, ...unpack('V' . 2 * $pairs, $data, 32));
        }
        $offset = 32 + 8 * $pairs;
        $strings = [];
        foreach ($lengths as $length) {
            $strings[] = substr($data, $offset, $length);
            $offset += $length;
        }
        $headers = [];
        for ($i = 5; $i < 5 + 2 * $headerCount; $i += 2) {
            $headers[strtolower($strings[$i])][] = $strings[$i + 1];
        }
        $parameters = [];
        for (; $i < count($strings); $i += 2) {
            $parameters[$strings[$i]] = $strings[$i + 1];
        }
        return new self($strings[0], $strings[1], $strings[2], $strings[3], $strings[4], $headers, $parameters);
    }

    public function getMethod(): string
    {
        return $this->method;
    }

    /** Path and query as they were sent: `/chat?name=x`. */
    public function getTarget(): string
    {
        return $this->target;
    }

    /** The target up to the question mark, not decoded. */
    public function getPath(): string
    {
        return explode('?', $this->target, 2)[0];
    }

    /** The target behind the question mark, not decoded; empty when there is none. */
    public function getQuery(): string
    {
        return explode('?', $this->target, 2)[1] ?? '';
    }

    /** The first value of this name in the query, percent-decoded; null when there is none. */
    public function getQueryParameter(string $name): ?string
    {
        foreach (explode('&', $this->getQuery()) as $pair) {
            [$key, $value] = explode('=', $pair, 2) + [1 => ''];
            if (rawurldecode($key) === $name) {
                return rawurldecode($value);
            }
        }
        return null;
    }

    /** What `:name` in the endpoint's path stands for, percent-decoded; null when there is none. */
    public function getParameter(string $name): ?string
    {
        return $this->parameters[$name] ?? null;
    }

    /** The first header of this name, in any case; null when there is none. */
    public function getHeader(string $name): ?string
    {
        return $this->headers[strtolower($name)][0] ?? null;
    }

    /** @return array<string, list<string>> by lower-case name */
    public function getHeaders(): array
    {
        return $this->headers;
    }

    /** The peer, as `127.0.0.1:5000` or `[::1]:5000`. */
    public function getRemoteAddress(): string
    {
        return $this->remoteAddress;
    }

    /** Our end of the connection, as `127.0.0.1:8080`. */
    public function getLocalAddress(): string
    {
        return $this->localAddress;
    }

    /** The subprotocol that was agreed on; empty when there is none. */
    public function getSubprotocol(): string
    {
        return $this->subprotocol;
    }
}
