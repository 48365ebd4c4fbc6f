<?php

declare(strict_types=1);

namespace Wsgate;

use Closure;
use Throwable;
use WeakReference;
use Wsgate\Internal\Engine;
use Wsgate\Internal\Handlers;
use Wsgate\Internal\Log;
use Wsgate\Internal\Loop;
use Wsgate\Internal\Outgoing;
use Wsgate\Internal\Pump;
use Wsgate\Internal\Suspension;

/**
 * A WebSocket server: addresses, endpoints, and the loop that calls their closures.
 *
 * Listening, parsing and writing happen on the library's own threads, which never run PHP code. All of the
 * program's closures run inside run() or tick(). Everything that is not said otherwise is set before start().
 */
final class Server
{
    private readonly Engine $engine;
    private readonly Outgoing $outgoing;
    private readonly Pump $pump;
    private readonly Log $log;

    private bool $started = false;

    /** Whether a loop drives it already. */
    private bool $driven = false;

    /** @var list<Closure(): void> */
    private array $onStopped = [];

    /** Who waits in run(). */
    private ?Suspension $runner = null;

    public function __construct()
    {
        $this->engine = new Engine();
        $this->log = new Log();
        $this->outgoing = new Outgoing($this->engine, $this->log);
        $this->pump = new Pump($this->engine, $this->outgoing, $this->log);

        // At exit() and after a fatal error PHP calls destructors in any order or not at all, but shutdown
        // functions always, and first.
        $self = WeakReference::create($this);
        register_shutdown_function(static function () use ($self): void {
            $self->get()?->end();
        });
    }

    public function __destruct()
    {
        $this->end();
    }

    /** There is one: the end of a copy would be the server's. */
    private function __clone()
    {
    }

    /** Adds an address: `127.0.0.1:8080`, `[::1]:8080`; with port 0 the system chooses, see getPort(). */
    public function listen(string $address): self
    {
        $this->engine->call('wsgate_server_listen', $address, strlen($address));
        return $this;
    }

    /** @param string $path the exact path, as `/chat` */
    public function endpoint(string $path, EndpointOptions $options = new EndpointOptions()): Endpoint
    {
        $number = $this->engine->ffi->new('uint32_t[1]');
        $this->engine->call('wsgate_server_add_endpoint', $path, strlen($path), $number);
        $options->apply($this->engine, $number[0]);
        $handlers = new Handlers();
        $this->pump->attach($number[0], $handlers);
        return new Endpoint($path, $handlers, $this->engine, $number[0]);
    }

    /** A new, empty gateway; also while the server runs. */
    public function gateway(): Gateway
    {
        $id = $this->engine->ffi->new('uint64_t[1]');
        $this->outgoing->call('wsgate_gateway_new', $id);
        return new Gateway($id[0], $this->outgoing);
    }

    /**
     * Serves a directory's files to the requests that no endpoint takes.
     *
     * @param string $prefix with `/assets`, the directory's app.js is `/assets/app.js`; may be called for several
     */
    public function directory(string $path, string $prefix = ''): self
    {
        if ($prefix === '') {
            $this->engine->call('wsgate_server_set_directory', $path, strlen($path));
        } else {
            $this->engine->call('wsgate_server_add_directory', $prefix, strlen($prefix), $path, strlen($path));
        }
        return $this;
    }

    /**
     * Lets the program answer the requests that neither an endpoint nor a file takes.
     *
     * @param Closure(Exchange): void $handler answers, at once or later
     * @param float $timeout after which a request is answered with 503, in seconds
     * @param int $maxBodySize of a request, in bytes; over it: 413
     */
    public function onRequest(Closure $handler, float $timeout = 30.0, int $maxBodySize = 131_072): self
    {
        $milliseconds = Engine::milliseconds('request timeout', $timeout);
        $this->engine->set('wsgate_server_set_request_timeout', 'request timeout', $milliseconds);
        $this->engine->set('wsgate_server_set_max_body_size', 'max body size', $maxBodySize);
        $this->engine->call('wsgate_server_set_requests', 1);
        $this->pump->request = $handler;
        return $this;
    }

    /**
     * Lets the program shape the responses by which the library refuses requests: bad handshakes, wrong origins,
     * paths that do not exist (unless there is onRequest()).
     *
     * @param Closure(Exchange): void $handler answers, at once or within the timeout; else the library does
     */
    public function onRefusal(Closure $handler, float $timeout = 1.0): self
    {
        $milliseconds = Engine::milliseconds('error pages', $timeout);
        $this->engine->set('wsgate_server_set_error_pages', 'error pages', $milliseconds);
        $this->pump->refusal = $handler;
        return $this;
    }

    /** How many threads serve the clients; 0, the default, is one for each core. */
    public function workers(int $count): self
    {
        // The parameter has 32 bits: FFI would cut a larger number down to one that may be good.
        $this->engine->set('wsgate_server_set_workers', 'workers', min($count, 0xffffffff));
        return $this;
    }

    /** The finest level that is logged [LogLevel::Warn]. */
    public function logLevel(LogLevel $level): self
    {
        $this->engine->call('wsgate_server_set_log_level', $level->value);
        return $this;
    }

    /** How many bytes of events may wait for the program before clients are not read any more [16 MiB]. */
    public function queueLimit(int $bytes): self
    {
        $this->engine->set('wsgate_server_set_queue_limit', 'queue limit', $bytes);
        return $this;
    }

    /** How many connections there may be at once, clients among them; one more is told 503 [1,000; 0: no limit]. */
    public function maxConnections(int $count): self
    {
        $this->engine->set('wsgate_server_set_max_connections', 'max connections', $count);
        return $this;
    }

    /**
     * How many connections there may be at once from one address, or one IPv6 network of 56 bits; one more is told
     * 503 [10; 0: no limit]. Loopback is exempt. Behind a proxy all come from its address.
     */
    public function maxConnectionsPerAddress(int $count): self
    {
        $this->engine->set('wsgate_server_set_max_connections_per_address', 'max connections per address', $count);
        return $this;
    }

    /** How many handshakes and requests may wait for the program at once; one more is told 503 [1,000]. */
    public function maxRequests(int $count): self
    {
        $this->engine->set('wsgate_server_set_max_requests', 'max requests', $count);
        return $this;
    }

    /** @param list<string> $methods that requests may have; others get 405 [the common ones] */
    public function methods(array $methods): self
    {
        $list = implode(',', $methods);
        $this->engine->call('wsgate_server_set_methods', $list, strlen($list));
        return $this;
    }

    /**
     * Where log lines go instead of PHP's error log; at any time.
     *
     * @param Closure(LogLevel, string, string): void $handler the level, what speaks (`wsgate::worker`), the text
     */
    public function onLog(Closure $handler): self
    {
        $this->log->handler = $handler;
        return $this;
    }

    /**
     * Binds the addresses and begins to serve.
     *
     * @throws WsgateException Status::Busy when an address is in use
     */
    public function start(): void
    {
        $this->engine->call('wsgate_server_start');
        $this->started = true;
    }

    /** The port of the address that was added as the first (0), the second (1) …; after start(). */
    public function getPort(int $address = 0): int
    {
        return $this->engine->call('wsgate_server_port', $address);
    }

    /**
     * Starts the server if need be, and calls the closures until it has stopped. Stops on SIGINT and SIGTERM
     * when the pcntl extension is there, unless the program handles them itself.
     *
     * @throws WsgateException Status::Forked in a child process
     */
    public function run(): void
    {
        if (!$this->started) {
            $this->start();
        }
        if ($this->engine->server === null) {
            return;
        }
        $this->runner = $stopped = new Suspension();
        $this->onStopped[] = $stopped->resume(...);
        $this->drive();
        $caught = $this->catchSignals();
        try {
            $stopped->suspend();
        } finally {
            $this->runner = null;
            array_map(Loop::get()->cancel(...), $caught);
        }
    }

    /** @internal lets the loop call the closures from now on */
    public function drive(): void
    {
        if (!$this->driven) {
            $this->driven = true;
            Loop::get()->add($this);
        }
    }

    /**
     * @internal
     * @param Closure(): void $callback called when the server has stopped
     */
    public function whenStopped(Closure $callback): void
    {
        $this->onStopped[] = $callback;
    }

    /**
     * A descriptor that is readable while tick() has something to do, for another event loop: open
     * `php://fd/N` and watch that stream; never read it.
     */
    public function getDescriptor(): int
    {
        return $this->engine->call('wsgate_server_fd');
    }

    /**
     * Calls the closures for what has happened, without waiting.
     *
     * @return bool false once the server has stopped
     * @throws WsgateException Status::Forked in a child process
     */
    public function tick(): bool
    {
        return $this->turn(0);
    }

    /**
     * @internal as tick(), but waits this long for something to happen
     * @return bool false once the server has stopped
     */
    public function turn(int $timeoutMs): bool
    {
        if ($this->pump->turn($timeoutMs)) {
            return true;
        }
        $this->free();
        return false;
    }

    /** @internal turn() threw this in the loop: run() throws it on, else it is nobody's */
    public function fail(Throwable $e): void
    {
        $this->runner === null ? Loop::get()->fail($e) : $this->runner->throw($e);
    }

    /** @internal whether it was started, and has not ended */
    public function isRunning(): bool
    {
        return $this->started && $this->engine->server !== null;
    }

    /** @internal whether a closure runs right now, so that turn() cannot be called */
    public function isDelivering(): bool
    {
        return $this->pump->isDelivering();
    }

    /**
     * Asks the server to stop, and returns at once: clients are closed with 1001, each gets its onClose,
     * then run() returns and tick() answers false. Does nothing when the server has stopped.
     *
     * @param float $grace how long clients have for the closing handshake, in seconds
     */
    public function stop(float $grace = 3.0): void
    {
        try {
            $this->outgoing->call('wsgate_server_stop', max(0, Engine::milliseconds('grace', $grace)));
        } catch (ClosedException) {
            // It has stopped.
        }
    }

    /** Frees the server; what was sent before goes to the library first. */
    private function end(): void
    {
        try {
            $this->outgoing->flush();
        } catch (WsgateException) {
            // Nobody is left to be told.
        }
        $this->free();
    }

    private function free(): void
    {
        $this->engine->free();
        $this->outgoing->outcomes->end();
        [$callbacks, $this->onStopped] = [$this->onStopped, []];
        foreach ($callbacks as $callback) {
            $callback();
        }
    }

    /** @return list<string> what catches the signals that stop the server from now on, for the loop's cancel() */
    private function catchSignals(): array
    {
        $caught = [];
        if (function_exists('pcntl_signal_get_handler')) {
            foreach ([SIGINT, SIGTERM] as $signal) {
                if (pcntl_signal_get_handler($signal) === SIG_DFL) {
                    $caught[] = Loop::get()->onSignal($signal, fn () => $this->stop());
                }
            }
        }
        return $caught;
    }
}
