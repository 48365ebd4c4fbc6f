<?php

declare(strict_types=1);

namespace Wsgate;

use Closure;
use Error;
use Psr\Log\LoggerInterface;
use Throwable;
use Wsgate\Internal\Application;
use Wsgate\Internal\SiteMap;
use Wsgate\Internal\Suspension;
use Wsgate\Internal\TrustedProxies;

/**
 * The HTTP server: addresses, and a request handler.
 *
 * Where revolt/event-loop is installed, it runs in that loop. Without it, it runs while the program waits: in
 * trapSignal(), run(), delay(), or for a future.
 */
final class SocketHttpServer implements HttpServer
{
    /** What createForDirectAccess() allows. */
    public const DEFAULT_ALLOWED_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'HEAD', 'OPTIONS', 'DELETE'];

    private const DEFAULT_CONCURRENCY_LIMIT = 1000;
    private const DEFAULT_CONNECTION_LIMIT = 1000;
    private const DEFAULT_CONNECTIONS_PER_IP_LIMIT = 10;

    /** How long clients have for the closing handshake when the server stops, in seconds. */
    private const GRACE = 3.0;

    private HttpServerStatus $status = HttpServerStatus::Stopped;

    /** @var list<string> */
    private array $addresses = [];

    /** @var list<Websocket|DocumentRoot> */
    private array $known = [];

    /** @var list<Closure(HttpServer): void> */
    private array $onStart = [];

    /** @var list<Closure(HttpServer): void> */
    private array $onStop = [];

    private ?Server $server = null;

    /** @param list<string>|null $allowedMethods */
    private function __construct(
        private readonly LoggerInterface $logger,
        private readonly int $connectionLimit,
        private readonly int $connectionLimitPerIp,
        private readonly int $concurrencyLimit,
        private readonly ?array $allowedMethods,
        private readonly int $workers,
        private readonly ?TrustedProxies $proxies,
    ) {
    }

    /**
     * A server that the public connects to.
     *
     * @param int $connectionLimit open at once, clients among them; one more is told 503. 0: no limit
     * @param int $connectionLimitPerIp open at once from one address, or one IPv6 network of 56 bits; loopback is
     *     exempt. 0: no limit
     * @param int $concurrencyLimit handshakes and requests that may wait for the program; one more is told 503
     * @param list<string>|null $allowedMethods others get 405; null: the common ones
     * @param int $workers the library's threads; with one, the program's own thread does the work while it waits
     */
    public static function createForDirectAccess(
        LoggerInterface $logger,
        int $connectionLimit = self::DEFAULT_CONNECTION_LIMIT,
        int $connectionLimitPerIp = self::DEFAULT_CONNECTIONS_PER_IP_LIMIT,
        int $concurrencyLimit = self::DEFAULT_CONCURRENCY_LIMIT,
        ?array $allowedMethods = self::DEFAULT_ALLOWED_METHODS,
        int $workers = 1,
    ): self {
        return new self(
            $logger,
            $connectionLimit,
            $connectionLimitPerIp,
            $concurrencyLimit,
            $allowedMethods,
            $workers,
            null,
        );
    }

    /**
     * A server behind a proxy, with no limit of connections. What trusted proxies say of a request is its attribute
     * named Forwarded::class.
     *
     * @param list<string> $trustedProxies addresses, or networks as `172.18.0.0/24`
     * @param int $concurrencyLimit handshakes and requests that may wait for the program; one more is told 503
     * @param list<string>|null $allowedMethods others get 405; null: the common ones
     * @param int $workers the library's threads; with one, the program's own thread does the work while it waits
     */
    public static function createForBehindProxy(
        LoggerInterface $logger,
        ForwardedHeaderType $headerType,
        array $trustedProxies,
        int $concurrencyLimit = self::DEFAULT_CONCURRENCY_LIMIT,
        ?array $allowedMethods = self::DEFAULT_ALLOWED_METHODS,
        int $workers = 1,
    ): self {
        $proxies = new TrustedProxies($headerType, $trustedProxies);
        return new self($logger, 0, 0, $concurrencyLimit, $allowedMethods, $workers, $proxies);
    }

    /** Adds an address to listen on; with port 0 the system chooses, see getServers(). */
    public function expose(SocketAddress|\Stringable|string $socketAddress): void
    {
        $address = (string) $socketAddress;
        if (in_array($address, $this->addresses, true) && !str_ends_with($address, ':0')) {
            throw new Error("Already exposing $address on HTTP server");
        }
        $this->addresses[] = $address;
    }

    /** @return list<ServerSocket> in the order in which the addresses were added */
    public function getServers(): array
    {
        if ($this->server === null || $this->status !== HttpServerStatus::Started) {
            throw new Error('The HTTP server is not running');
        }
        $sockets = [];
        foreach ($this->addresses as $i => $address) {
            $internet = InternetAddress::tryFromString($address);
            $sockets[] = new ServerSocket($internet === null
                ? new UnixAddress($address)
                : new InternetAddress($internet->getAddress(), $this->server->getPort($i)));
        }
        return $sockets;
    }

    public function getStatus(): HttpServerStatus
    {
        return $this->status;
    }

    public function onStart(Closure $onStart): void
    {
        $this->onStart[] = $onStart;
    }

    public function onStop(Closure $onStop): void
    {
        $this->onStop[] = $onStop;
    }

    /** @throws WsgateException Status::Busy when an address is in use */
    public function start(RequestHandler $requestHandler, ErrorHandler $errorHandler): void
    {
        if ($this->addresses === []) {
            throw new Error('No bind addresses specified; call ' . self::class . '::expose() to add some');
        }
        if ($this->status !== HttpServerStatus::Stopped) {
            throw new Error("Cannot start server: {$this->status->getLabel()}");
        }
        $this->status = HttpServerStatus::Starting;
        try {
            foreach ($this->onStart as $callback) {
                $callback($this);
            }
            $this->server = $this->build($requestHandler, $errorHandler);
            $this->server->start();
        } catch (Throwable $e) {
            $this->status = HttpServerStatus::Started;
            $this->stop();
            throw $e;
        }
        $this->status = HttpServerStatus::Started;
        $this->server->whenStopped($this->stopped(...));
        $this->server->drive();
        $this->logger->info('Started server');
        foreach ($this->getServers() as $socket) {
            $this->logger->info("Listening on http://{$socket->getAddress()->toString()}/");
        }
    }

    /**
     * Stops the server, and waits until it has stopped: clients are closed with 1001 "Server shutting down".
     */
    public function stop(): void
    {
        if ($this->status === HttpServerStatus::Stopped) {
            return;
        }
        if ($this->status !== HttpServerStatus::Started) {
            throw new Error("Cannot stop server: {$this->status->getLabel()}");
        }
        $this->logger->info('Stopping server');
        $this->status = HttpServerStatus::Stopping;
        $failure = null;
        foreach ($this->onStop as $callback) {
            try {
                $callback($this);
            } catch (Throwable $e) {
                $failure ??= $e;
            }
        }
        if ($this->server?->isRunning() === true) {
            $stopped = new Suspension();
            $this->server->whenStopped($stopped->resume(...));
            $this->server->stop(self::GRACE);
            $stopped->suspend();
        }
        $this->stopped();
        if ($failure !== null) {
            throw $failure;
        }
    }

    /** Serves until the server has stopped; stops it on SIGINT and SIGTERM when the pcntl extension is there. */
    public function run(): void
    {
        $this->server?->run();
    }

    /** @internal */
    public function know(Websocket|DocumentRoot $handler): void
    {
        $this->known[] = $handler;
    }

    private function build(RequestHandler $requestHandler, ErrorHandler $errorHandler): Server
    {
        $map = new SiteMap($requestHandler, $this->known);
        $application = new Application(
            $requestHandler,
            $errorHandler,
            $this->logger,
            fn (Request $request) => $this->proxies?->read($request),
        );
        $server = (new Server())
            ->workers($this->workers)
            ->maxConnections($this->connectionLimit)
            ->maxConnectionsPerAddress($this->connectionLimitPerIp)
            ->maxRequests($this->concurrencyLimit);
        if ($this->allowedMethods !== null) {
            $server->methods($this->allowedMethods);
        }
        $server->onLog(function (LogLevel $level, string $target, string $text): void {
            $this->logger->log($level->toPsr(), "$target: $text");
        });
        foreach ($this->addresses as $address) {
            $server->listen($address);
        }
        if ($map->directory !== null) {
            $server->directory($map->directory);
        }
        foreach ($map->endpoints as $path => $options) {
            $application->attach($server->endpoint($path, $options));
        }
        $server->onRequest($application->answer(...));
        $server->onRefusal($application->refuse(...));
        return $server;
    }

    private function stopped(): void
    {
        if ($this->status !== HttpServerStatus::Stopped) {
            $this->status = HttpServerStatus::Stopped;
            $this->server = null;
            $this->logger->debug('Stopped server');
        }
    }
}
