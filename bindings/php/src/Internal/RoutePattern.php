<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Error;

/**
 * A path of the router: `/users/{id}`, `/users/{id:\d+}`, with optional ends in brackets: `/users[/{id}]`.
 *
 * @internal
 */
final class RoutePattern
{
    /** A placeholder; its regular expression may have braces of its own, one in the other. */
    private const PLACEHOLDER = '\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*(?::\s*((?:[^{}]|\{[^{}]*\})+))?\s*\}';

    /** @param list<string> $names */
    private function __construct(
        private readonly string $regex,
        private readonly array $names,
        public readonly string $endpoint,
    ) {
    }

    /** @return list<self> one for each length that the optional ends allow */
    public static function parse(string $uri): array
    {
        $inner = rtrim($uri, ']');
        $parts = preg_split('~\{(?:[^{}]|\{[^{}]*\})*\}(*SKIP)(*FAIL)|\[~', $inner);
        if (count($parts) - 1 !== strlen($uri) - strlen($inner)) {
            throw new Error("Optional parts of a route must be at its end, and closed: $uri");
        }
        $patterns = [];
        $path = '';
        foreach ($parts as $part) {
            $path .= $part;
            $patterns[] = self::compile($path);
        }
        return $patterns;
    }

    /** @return array<string, string>|null the placeholders' values; null when the path is another */
    public function match(string $path): ?array
    {
        if (preg_match($this->regex, $path, $match) !== 1) {
            return null;
        }
        $values = [];
        foreach ($this->names as $i => $name) {
            $values[$name] = $match["p$i"];
        }
        return $values;
    }

    private static function compile(string $path): self
    {
        $names = [];
        preg_match_all('~' . self::PLACEHOLDER . '~', $path, $placeholders, PREG_SET_ORDER | PREG_OFFSET_CAPTURE);
        $regex = '';
        $at = 0;
        foreach ($placeholders as $i => $placeholder) {
            $regex .= preg_quote(substr($path, $at, $placeholder[0][1] - $at), '~');
            $regex .= "(?<p$i>" . strtr($placeholder[2][0] ?? '[^/]+', ['~' => '\~']) . ')';
            $names[] = $placeholder[1][0];
            $at = $placeholder[0][1] + strlen($placeholder[0][0]);
        }
        $regex .= preg_quote(substr($path, $at), '~');
        return new self("~^$regex$~D", $names, self::endpoint($path));
    }

    /** The library's path that takes at least all that this one does. The router still decides. */
    private static function endpoint(string $path): string
    {
        $segments = preg_split('~\{(?:[^{}]|\{[^{}]*\})*\}(*SKIP)(*FAIL)|/~', substr($path, 1));
        $endpoint = '';
        foreach ($segments as $i => $segment) {
            if (!str_contains($segment, '{')) {
                $endpoint .= "/$segment";
            } elseif (preg_match('~^' . self::PLACEHOLDER . '$~D', $segment, $match) === 1 && !isset($match[2])) {
                $endpoint .= "/:p$i";
            } else {
                return "$endpoint/*";
            }
        }
        return $endpoint;
    }
}
