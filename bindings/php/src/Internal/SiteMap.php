<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Error;
use Wsgate\DocumentRoot;
use Wsgate\EndpointOptions;
use Wsgate\RequestHandler;
use Wsgate\Router;
use Wsgate\Websocket;

/**
 * What the library has to know of a tree of request handlers: endpoints, with their limits, and directories.
 *
 * @internal
 */
final class SiteMap
{
    /** Takes every path that no other endpoint does. */
    private const ALL = '/*';

    /** @var array<string, EndpointOptions> by the library's path */
    public array $endpoints = [];

    public ?string $directory = null;

    /** @var array<int, Websocket|DocumentRoot> what was made for the server, and was not found yet */
    private array $missing = [];

    /** @param list<Websocket|DocumentRoot> $known */
    public function __construct(RequestHandler $root, array $known)
    {
        foreach ($known as $handler) {
            $this->missing[spl_object_id($handler)] = $handler;
        }
        $this->visit($root, self::ALL);
        foreach ($this->missing as $handler) {
            if ($handler instanceof DocumentRoot) {
                throw new Error(
                    'A DocumentRoot must be the server\'s request handler, or the fallback of its router or of'
                    . " another DocumentRoot; that of {$handler->root()} is not",
                );
            }
            // Somewhere in a handler of the application's own, which decides by itself.
            $this->add(self::ALL, $handler);
        }
    }

    private function visit(RequestHandler $handler, string $path): void
    {
        while ($handler instanceof MiddlewareHandler) {
            $handler = $handler->inner;
        }
        unset($this->missing[spl_object_id($handler)]);
        if ($handler instanceof Websocket) {
            $this->add($path, $handler);
        } elseif ($handler instanceof Router) {
            foreach ($handler->endpoints() as [$route, $inner]) {
                $this->visit($inner, $route);
            }
            $this->visitFallback($handler->fallback(), $path);
        } elseif ($handler instanceof DocumentRoot) {
            if ($path !== self::ALL) {
                throw new Error("A DocumentRoot cannot be a route: make it the router's fallback");
            }
            if ($this->directory !== null) {
                throw new Error('A server can have one DocumentRoot');
            }
            $this->directory = $handler->root();
            $this->visitFallback($handler->fallback(), $path);
        }
    }

    private function visitFallback(?RequestHandler $handler, string $path): void
    {
        if ($handler !== null) {
            $this->visit($handler, $path);
        }
    }

    private function add(string $path, Websocket $websocket): void
    {
        $options = $websocket->options();
        if (isset($this->endpoints[$path]) && $this->endpoints[$path] != $options) {
            throw new Error("Two endpoints with different client factories share the path $path");
        }
        $this->endpoints[$path] = $options;
    }
}
