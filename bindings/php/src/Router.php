<?php

declare(strict_types=1);

namespace Wsgate;

use Error;
use Psr\Log\LoggerInterface;
use Wsgate\Internal\RoutePattern;

/**
 * Leads requests to handlers by method and path.
 *
 * A path may have placeholders, `/users/{id}` or `/users/{id:\d+}`, whose values are the request's attribute named
 * Router::class, and an optional end, `/users[/{id}]`; `/users/?` redirects the path with a slash at its end.
 */
final class Router implements RequestHandler
{
    /** @var list<array{string, RoutePattern, RequestHandler}> */
    private array $routes = [];

    private ?RequestHandler $fallback = null;

    /** @var list<Middleware> */
    private array $middlewares = [];

    private bool $running = false;

    public function __construct(
        HttpServer $httpServer,
        private readonly LoggerInterface $logger,
        private readonly ErrorHandler $errorHandler,
    ) {
        $httpServer->onStart(function (): void {
            $this->running = true;
            if ($this->routes === []) {
                $this->logger->notice('No routes registered');
            }
        });
        $httpServer->onStop(function (): void {
            $this->running = false;
        });
    }

    /** @throws Error once the server has started */
    public function addRoute(string $method, string $uri, RequestHandler $requestHandler): void
    {
        $this->mustNotRun();
        if ($method === '') {
            throw new Error('A route needs a method');
        }
        $uri = '/' . ltrim($uri, '/');
        if ($uri !== '/?' && str_ends_with($uri, '/?')) {
            $this->addRoute($method, substr($uri, 0, -1), new ClosureRequestHandler(self::redirect(...)));
        }
        $uri = $uri === '/?' ? '/' : preg_replace('~/\?$~D', '', $uri);
        foreach (RoutePattern::parse($uri) as $pattern) {
            $this->routes[] = [$method, $pattern, $requestHandler];
        }
    }

    /**
     * Sets who answers what no route takes; otherwise it is 404.
     *
     * @throws Error once the server has started
     */
    public function setFallback(RequestHandler $requestHandler): void
    {
        $this->mustNotRun();
        $this->fallback = $requestHandler;
    }

    /**
     * Puts middleware before all routes, but not before the fallback.
     *
     * @throws Error once the server has started
     */
    public function addMiddleware(Middleware $middleware): void
    {
        $this->mustNotRun();
        $this->middlewares[] = $middleware;
    }

    public function handleRequest(Request $request): Response
    {
        $path = rawurldecode($request->getUri()->getPath());
        $allowed = [];
        foreach ($this->routes as [$method, $pattern, $handler]) {
            $values = $pattern->match($path);
            if ($values === null) {
                continue;
            }
            // As everywhere in HTTP, HEAD is GET without the body.
            if ($method === $request->getMethod() || ($method === 'GET' && $request->getMethod() === 'HEAD')) {
                $request->setAttribute(self::class, $values);
                return stackMiddleware($handler, ...$this->middlewares)->handleRequest($request);
            }
            $allowed[$method] = true;
        }
        if ($allowed !== []) {
            $response = $this->errorHandler->handleError(HttpStatus::METHOD_NOT_ALLOWED, null, $request);
            $response->setHeader('allow', implode(', ', array_keys($allowed)));
            return $response;
        }
        return $this->fallback?->handleRequest($request)
            ?? $this->errorHandler->handleError(HttpStatus::NOT_FOUND, null, $request);
    }

    /**
     * @internal
     * @return list<array{string, RequestHandler}> the library's path of each route, and its handler
     */
    public function endpoints(): array
    {
        return array_map(
            static fn (array $route): array => [$route[1]->endpoint, $route[2]],
            $this->routes,
        );
    }

    /** @internal */
    public function fallback(): ?RequestHandler
    {
        return $this->fallback;
    }

    private static function redirect(Request $request): Response
    {
        $path = rtrim($request->getUri()->getPath(), '/');
        $query = $request->getUri()->getQuery();
        return new Response(
            HttpStatus::PERMANENT_REDIRECT,
            ['location' => $query === '' ? $path : "$path?$query", 'content-type' => 'text/plain; charset=utf-8'],
            "Canonical resource location: $path",
        );
    }

    private function mustNotRun(): void
    {
        if ($this->running) {
            throw new Error('The router cannot be changed once the server has started');
        }
    }
}
