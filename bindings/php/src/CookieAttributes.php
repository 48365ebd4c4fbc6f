<?php

declare(strict_types=1);

namespace Wsgate;

use DateTimeImmutable;
use DateTimeInterface;
use DateTimeZone;

/** How long, where, and by whom a cookie may be sent back (RFC 6265 §4.1.2). */
final class CookieAttributes
{
    public const SAMESITE_NONE = 'None';
    public const SAMESITE_LAX = 'Lax';
    public const SAMESITE_STRICT = 'Strict';

    private ?DateTimeInterface $expiry = null;
    private ?int $maxAge = null;
    private string $path = '';
    private string $domain = '';
    private bool $secure = false;
    private bool $httpOnly = false;
    private ?string $sameSite = null;

    private function __construct()
    {
    }

    /** Only HttpOnly is set. */
    public static function default(): self
    {
        return self::empty()->withHttpOnly();
    }

    public static function empty(): self
    {
        return new self();
    }

    public function withExpiry(DateTimeInterface $date): self
    {
        return $this->with(static fn (self $new) => $new->expiry = $date);
    }

    /** @param int $maxAge in seconds */
    public function withMaxAge(int $maxAge): self
    {
        return $this->with(static fn (self $new) => $new->maxAge = $maxAge);
    }

    public function withPath(string $path): self
    {
        return $this->with(static fn (self $new) => $new->path = $path);
    }

    public function withDomain(string $domain): self
    {
        return $this->with(static fn (self $new) => $new->domain = $domain);
    }

    public function withSecure(): self
    {
        return $this->with(static fn (self $new) => $new->secure = true);
    }

    public function withoutSecure(): self
    {
        return $this->with(static fn (self $new) => $new->secure = false);
    }

    public function withHttpOnly(): self
    {
        return $this->with(static fn (self $new) => $new->httpOnly = true);
    }

    public function withoutHttpOnly(): self
    {
        return $this->with(static fn (self $new) => $new->httpOnly = false);
    }

    /** @param self::SAMESITE_* $sameSite */
    public function withSameSite(string $sameSite): self
    {
        return $this->with(static fn (self $new) => $new->sameSite = $sameSite);
    }

    /** @internal as it follows the cookie in a Set-Cookie header */
    public function toString(): string
    {
        $text = '';
        if ($this->expiry !== null) {
            $utc = DateTimeImmutable::createFromInterface($this->expiry)->setTimezone(new DateTimeZone('GMT'));
            $text .= '; Expires=' . $utc->format('D, d M Y H:i:s T');
        }
        $text .= $this->maxAge !== null ? "; Max-Age=$this->maxAge" : '';
        $text .= $this->path !== '' ? "; Path=$this->path" : '';
        $text .= $this->domain !== '' ? "; Domain=$this->domain" : '';
        $text .= $this->secure ? '; Secure' : '';
        $text .= $this->httpOnly ? '; HttpOnly' : '';
        return $text . ($this->sameSite !== null ? "; SameSite=$this->sameSite" : '');
    }

    /** @param callable(self): mixed $change */
    private function with(callable $change): self
    {
        $new = clone $this;
        $change($new);
        return $new;
    }
}
