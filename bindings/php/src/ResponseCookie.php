<?php

declare(strict_types=1);

namespace Wsgate;

use Error;
use Stringable;

/** A cookie for a client to keep (RFC 6265 §4.1). */
final class ResponseCookie implements Stringable
{
    private readonly CookieAttributes $attributes;

    /** @throws Error when name or value cannot be in a cookie */
    public function __construct(
        private readonly string $name,
        private readonly string $value = '',
        ?CookieAttributes $attributes = null,
    ) {
        if (preg_match('/^[A-Za-z0-9!#$%&\'*+.^_`|~-]+$/D', $name) !== 1) {
            throw new Error("Invalid cookie name: '$name'");
        }
        if (preg_match('/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/D', $value) !== 1) {
            throw new Error("Invalid cookie value: '$value'");
        }
        $this->attributes = $attributes ?? CookieAttributes::default();
    }

    public function getName(): string
    {
        return $this->name;
    }

    public function getValue(): string
    {
        return $this->value;
    }

    public function getAttributes(): CookieAttributes
    {
        return $this->attributes;
    }

    public function toString(): string
    {
        return "$this->name=$this->value{$this->attributes->toString()}";
    }

    public function __toString(): string
    {
        return $this->toString();
    }
}
