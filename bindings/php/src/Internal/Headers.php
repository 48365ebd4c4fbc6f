<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Error;

/**
 * The headers of a request or response.
 *
 * @internal
 */
trait Headers
{
    /** @var array<string, list<string>> by lower-case name, in the order of arrival */
    private array $headers = [];

    public function hasHeader(string $name): bool
    {
        return isset($this->headers[strtolower($name)]);
    }

    /** The first header of this name, in any case; null when there is none. */
    public function getHeader(string $name): ?string
    {
        return $this->headers[strtolower($name)][0] ?? null;
    }

    /** @return list<string> all headers of this name, in any case */
    public function getHeaderArray(string $name): array
    {
        return $this->headers[strtolower($name)] ?? [];
    }

    /** @return array<string, list<string>> by lower-case name */
    public function getHeaders(): array
    {
        return $this->headers;
    }

    /** @param array<string, string|list<string>> $headers in place of those of the same names */
    public function setHeaders(array $headers): void
    {
        foreach ($headers as $name => $value) {
            $this->setHeader($name, $value);
        }
    }

    /** @param string|list<string> $value */
    public function setHeader(string $name, string|array $value): void
    {
        $this->headers[self::name($name)] = self::values($value);
    }

    /** @param string|list<string> $value */
    public function addHeader(string $name, string|array $value): void
    {
        $name = self::name($name);
        $this->headers[$name] = [...$this->headers[$name] ?? [], ...self::values($value)];
    }

    public function removeHeader(string $name): void
    {
        unset($this->headers[strtolower($name)]);
    }

    private static function name(string $name): string
    {
        // RFC 9110 §5.1: a token.
        if (preg_match('/^[A-Za-z0-9!#$%&\'*+.^_`|~-]+$/D', $name) !== 1) {
            throw new Error("Invalid header name: '$name'");
        }
        return strtolower($name);
    }

    /**
     * @param string|list<string> $values
     * @return list<string>
     */
    private static function values(string|array $values): array
    {
        $values = array_values((array) $values);
        foreach ($values as $value) {
            if (preg_match('/[\x00-\x08\x0a-\x1f\x7f]/', $value) === 1) {
                throw new Error('Invalid header value: it has control characters');
            }
        }
        return $values;
    }
}
