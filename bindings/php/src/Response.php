<?php

declare(strict_types=1);

namespace Wsgate;

use Amp\ByteStream\ReadableStream as AmpReadableStream;
use ValueError;
use Wsgate\Internal\Headers;

/** The response to a request or handshake. */
final class Response
{
    use Headers {
        setHeader as private replaceHeader;
        addHeader as private appendHeader;
        removeHeader as private dropHeader;
    }

    private string $body = '';

    private string $reason = '';

    /** @var array<string, ResponseCookie> */
    private array $cookies = [];

    private ?Websocket $upgrade = null;

    /**
     * @param int $status 100 to 599
     * @param array<string, string|list<string>> $headers
     * @param ReadableStream|AmpReadableStream|string $body a stream is read at once, and sent as a whole
     */
    public function __construct(
        private int $status = HttpStatus::OK,
        array $headers = [],
        ReadableStream|AmpReadableStream|string $body = '',
    ) {
        $this->setStatus($status);
        $this->setBody($body);
        $this->setHeaders($headers);
    }

    public function getStatus(): int
    {
        return $this->status;
    }

    /** In words. On the wire the status has its usual ones. */
    public function getReason(): string
    {
        return $this->reason !== '' ? $this->reason : HttpStatus::getReason($this->status);
    }

    /** @throws ValueError for a status that is none */
    public function setStatus(int $status, ?string $reason = null): void
    {
        if ($status < 100 || $status > 599) {
            throw new ValueError("The status is $status, and must be from 100 to 599");
        }
        $this->status = $status;
        $this->reason = $reason ?? '';
        if ($status !== HttpStatus::SWITCHING_PROTOCOLS) {
            $this->upgrade = null;
        }
    }

    public function getBody(): string
    {
        return $this->body;
    }

    public function setBody(ReadableStream|AmpReadableStream|string $body): void
    {
        if (!is_string($body)) {
            $stream = $body;
            $body = '';
            while (($chunk = $stream->read()) !== null) {
                $body .= $chunk;
            }
        }
        $this->body = $body;
    }

    /** @param string|list<string> $value */
    public function setHeader(string $name, string|array $value): void
    {
        $this->replaceHeader($name, $value);
        $this->readCookies($name);
    }

    /** @param string|list<string> $value */
    public function addHeader(string $name, string|array $value): void
    {
        $this->appendHeader($name, $value);
        $this->readCookies($name);
    }

    public function removeHeader(string $name): void
    {
        $this->dropHeader($name);
        $this->readCookies($name);
    }

    /** @return array<string, ResponseCookie> by name */
    public function getCookies(): array
    {
        return $this->cookies;
    }

    public function getCookie(string $name): ?ResponseCookie
    {
        return $this->cookies[$name] ?? null;
    }

    public function setCookie(ResponseCookie $cookie): void
    {
        $this->removeCookie($cookie->getName());
        $this->cookies[$cookie->getName()] = $cookie;
        $this->appendHeader('set-cookie', $cookie->toString());
    }

    public function removeCookie(string $name): void
    {
        unset($this->cookies[$name]);
        $others = array_values(array_filter(
            $this->getHeaderArray('set-cookie'),
            static fn (string $line): bool => !str_starts_with($line, "$name="),
        ));
        $others === [] ? $this->dropHeader('set-cookie') : $this->replaceHeader('set-cookie', $others);
    }

    /** @internal the client is the endpoint's once this is sent */
    public function upgrade(Websocket $endpoint): void
    {
        $this->upgrade = $endpoint;
    }

    /** @internal */
    public function upgradesTo(): ?Websocket
    {
        return $this->upgrade;
    }

    /** Cookies that were set as headers; their attributes stay in the header alone. */
    private function readCookies(string $name): void
    {
        if (strcasecmp($name, 'set-cookie') === 0) {
            $this->cookies = [];
            foreach ($this->getHeaderArray('set-cookie') as $line) {
                [$name, $value] = explode('=', explode(';', $line, 2)[0], 2) + [1 => ''];
                $this->cookies[trim($name)] = new ResponseCookie(trim($name), trim($value), CookieAttributes::empty());
            }
        }
    }
}
