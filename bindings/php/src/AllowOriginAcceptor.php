<?php

declare(strict_types=1);

namespace Wsgate;

/** Accepts handshakes from pages of certain origins (RFC 6455 §10.2); the others get 403. */
final class AllowOriginAcceptor implements WebsocketAcceptor
{
    /** The ports that an origin leaves out. */
    private const PORTS = ['http' => ':80', 'https' => ':443'];

    /**
     * @param list<string> $allowOrigins as browsers send them, `https://example.org`; with `*.` in front of the host all
     *     that is below it, but not the host itself: `https://*.example.org`, or, with any scheme, `*.example.org`
     * @param bool $sameHost whether an origin is allowed, too, that is the host of the request itself
     */
    public function __construct(
        private readonly array $allowOrigins,
        private readonly ErrorHandler $errorHandler = new PlainErrorHandler(),
        private readonly WebsocketAcceptor $acceptor = new Rfc6455Acceptor(),
        private readonly bool $sameHost = false,
    ) {
    }

    public function handleHandshake(Request $request): Response
    {
        $origins = $request->getHeaderArray('origin');
        if (count($origins) !== 1 || !$this->allows($origins[0], $request->getHeader('host') ?? '')) {
            return $this->errorHandler->handleError(HttpStatus::FORBIDDEN, 'Origin forbidden', $request);
        }
        return $this->acceptor->handleHandshake($request);
    }

    private function allows(string $origin, string $host): bool
    {
        foreach ($this->allowOrigins as $allowed) {
            if (strcasecmp($allowed, $origin) === 0 || self::isBelow($allowed, $origin)) {
                return true;
            }
        }
        return $this->sameHost && self::isOfHost($origin, $host);
    }

    private static function isBelow(string $pattern, string $origin): bool
    {
        if (preg_match('~^(?:(.+)://)?\*(\..+)$~D', $pattern, $parts) !== 1) {
            return false;
        }
        $scheme = $parts[1] === '' ? '[^:]+' : preg_quote($parts[1], '~');
        return preg_match("~^$scheme://.+" . preg_quote($parts[2], '~') . '$~iDs', $origin) === 1;
    }

    private static function isOfHost(string $origin, string $host): bool
    {
        [$scheme, $of] = explode('://', strtolower($origin), 2) + [1 => ''];
        $port = self::PORTS[$scheme] ?? '';
        $withPort = static fn (string $name): string => str_ends_with($name, $port) ? $name : $name . $port;
        return $of !== '' && $withPort($of) === $withPort(strtolower($host));
    }
}
