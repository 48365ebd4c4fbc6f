<?php

declare(strict_types=1);

namespace Wsgate;

/** What a trusted proxy says of a request: its attribute named Forwarded::class. */
final class Forwarded
{
    /** @param array<string, string> $fields by lower-case name */
    public function __construct(private readonly InternetAddress $for, private readonly array $fields)
    {
    }

    /** Who sent the request. Its port is 0 when the proxy does not tell. */
    public function getFor(): InternetAddress
    {
        return $this->for;
    }

    /** `proto`, `host` …; null when the proxy does not tell. */
    public function getField(string $name): ?string
    {
        return $this->fields[strtolower($name)] ?? null;
    }
}
