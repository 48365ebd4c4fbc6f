<?php

declare(strict_types=1);

namespace Wsgate;

use Stringable;

/** A cookie that a client sent (RFC 6265 §4.2). */
final class RequestCookie implements Stringable
{
    public function __construct(private readonly string $name, private readonly string $value = '')
    {
    }

    /**
     * @internal
     * @param list<string> $headers
     * @return array<string, self> by name; the first of a name counts
     */
    public static function fromHeaders(array $headers): array
    {
        $cookies = [];
        foreach ($headers as $header) {
            foreach (explode(';', $header) as $pair) {
                [$name, $value] = array_map(trim(...), explode('=', $pair, 2)) + [1 => null];
                if ($name !== '' && $value !== null) {
                    if (strlen($value) > 1 && $value[0] === '"' && $value[-1] === '"') {
                        $value = substr($value, 1, -1);
                    }
                    $cookies[$name] ??= new self($name, $value);
                }
            }
        }
        return $cookies;
    }

    public function getName(): string
    {
        return $this->name;
    }

    public function getValue(): string
    {
        return $this->value;
    }

    public function __toString(): string
    {
        return "$this->name=$this->value";
    }
}
