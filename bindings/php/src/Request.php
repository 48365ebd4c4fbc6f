<?php

declare(strict_types=1);

namespace Wsgate;

use Wsgate\Internal\Cancellable;
use Wsgate\Internal\Headers;

/** An HTTP request: one that asks to become a client, or any other. */
final class Request
{
    use Headers;

    private ?RequestBody $body = null;

    private ?Cancellable $cancellation = null;

    /** @var array<string, mixed> */
    private array $attributes = [];

    /**
     * @param array<string, list<string>> $headers by lower-case name, in the order of arrival
     * @param array<string, string> $parameters
     */
    private function __construct(
        private string $method,
        private readonly string $target,
        private readonly string $remoteAddress,
        private readonly string $localAddress,
        private readonly string $subprotocol,
        array $headers,
        private readonly array $parameters,
        private readonly string $content,
    ) {
        $this->headers = $headers;
    }

    /**
     * @internal
     * @param string $data the payload of an ACCEPT, HANDSHAKE or REQUEST event: eight lengths, a pair of lengths for each
     *                     header and parameter, then all the strings without separators, the body last
     */
    public static function decode(string $data): self
    {
        [1 => $headerCount, 2 => $method, 3 => $target, 4 => $remote, 5 => $local, 6 => $subprotocol,
            7 => $parameterCount, 8 => $body] = unpack('V8', $data);
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
        $content = $body > 0 ? substr($data, $offset, $body) : '';
        return new self(
            $strings[0],
            $strings[1],
            $strings[2],
            $strings[3],
            $strings[4],
            $headers,
            $parameters,
            $content,
        );
    }

    public function getMethod(): string
    {
        return $this->method;
    }

    public function setMethod(string $method): void
    {
        $this->method = $method;
    }

    /** Who sent it. */
    public function getClient(): RequestClient
    {
        return new RequestClient($this->remoteAddress, $this->localAddress);
    }

    public function getProtocolVersion(): string
    {
        return '1.1';
    }

    public function getUri(): Uri
    {
        return new Uri('http', $this->getHeader('host') ?? $this->localAddress, $this->target);
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

    /** The subprotocol that was agreed on, or, in a handshake, those that are offered; empty when there is none. */
    public function getSubprotocol(): string
    {
        return $this->subprotocol;
    }

    public function getBody(): RequestBody
    {
        return $this->body ??= new RequestBody($this->content);
    }

    /** @return array<string, RequestCookie> by name */
    public function getCookies(): array
    {
        return RequestCookie::fromHeaders($this->getHeaderArray('cookie'));
    }

    public function getCookie(string $name): ?RequestCookie
    {
        return $this->getCookies()[$name] ?? null;
    }

    /**
     * Of a handshake that an acceptor decides on: requested when it needs no decision any more, because the peer has
     * left, or was told 503 after the handshake timeout.
     */
    public function getCancellation(): Cancellation
    {
        return $this->cancellation ??= new Cancellable();
    }

    /** @internal nobody waits for the answer any more */
    public function cancel(): void
    {
        ($this->cancellation ??= new Cancellable())->cancel(null);
    }

    /** @return array<string, mixed> what handlers and middleware noted */
    public function getAttributes(): array
    {
        return $this->attributes;
    }

    public function hasAttribute(string $name): bool
    {
        return array_key_exists($name, $this->attributes);
    }

    /** @throws MissingAttributeError */
    public function getAttribute(string $name): mixed
    {
        return $this->hasAttribute($name)
            ? $this->attributes[$name]
            : throw new MissingAttributeError("The request has no attribute '$name'");
    }

    public function setAttribute(string $name, mixed $value): void
    {
        $this->attributes[$name] = $value;
    }

    public function removeAttribute(string $name): void
    {
        unset($this->attributes[$name]);
    }
}
