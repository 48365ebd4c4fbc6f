<?php

declare(strict_types=1);

namespace Wsgate;

use Stringable;

/** The address that a request was sent to. */
final class Uri implements Stringable
{
    /** @internal */
    public function __construct(
        private readonly string $scheme,
        private readonly string $authority,
        private readonly string $target,
    ) {
    }

    public function getScheme(): string
    {
        return $this->scheme;
    }

    /** Host, and port if one was said. */
    public function getAuthority(): string
    {
        return $this->authority;
    }

    public function getHost(): string
    {
        return strtolower(preg_replace('/:\d*$/D', '', $this->authority));
    }

    /** Null when none was said. */
    public function getPort(): ?int
    {
        return preg_match('/:(\d+)$/D', $this->authority, $match) === 1 ? (int) $match[1] : null;
    }

    /** As it was sent, not decoded. */
    public function getPath(): string
    {
        return explode('?', $this->target, 2)[0];
    }

    /** As it was sent, not decoded; empty when there is none. */
    public function getQuery(): string
    {
        return explode('?', $this->target, 2)[1] ?? '';
    }

    /** Path and query. */
    public function getTarget(): string
    {
        return $this->target;
    }

    public function __toString(): string
    {
        return "$this->scheme://$this->authority$this->target";
    }
}
