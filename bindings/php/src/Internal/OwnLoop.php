<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use Error;
use Throwable;
use Wsgate\Server;

use function count;
use function function_exists;
use function pcntl_signal_dispatch;
use function reset;

/**
 * The loop of programs without Revolt. With one server it waits in the library's own call, which is the
 * cheapest way: the library then works on this thread.
 *
 * @internal
 */
final class OwnLoop extends Loop
{
    /**
     * A signal between our look at it and the wait would stay unnoticed until the wait ends, so no wait is
     * longer than this.
     */
    private const WAIT_MS = 250;

    /** @var array<int, Server> */
    private array $servers = [];

    /** @var array<int, resource> their descriptors, once there are several servers */
    private array $streams = [];

    /** Null: nobody has waited for a time. */
    private ?Timers $timers = null;

    private readonly Signals $signals;

    /** @var list<Throwable> */
    private array $failures = [];

    private bool $running = false;

    public function __construct()
    {
        $this->signals = new Signals();
    }

    public function add(Server $server): void
    {
        $this->servers[spl_object_id($server)] = $server;
    }

    public function kick(): void
    {
        // Each turn begins with the tasks.
    }

    public function await(Suspension $suspension): void
    {
        if ($this->running) {
            throw new Error('The loop runs already: wait in a fiber, see Wsgate\async()');
        }
        $this->running = true;
        // All in here happens for each batch of events, mostly in vain: what need not be called is not.
        $dispatchesSignals = function_exists('pcntl_signal_dispatch');
        try {
            while (true) {
                if ($dispatchesSignals) {
                    // The program's own handlers, too.
                    pcntl_signal_dispatch();
                }
                $this->timers?->fire();
                if (Tasks::$ready !== []) {
                    Tasks::run();
                }
                if ($this->failures !== []) {
                    throw array_shift($this->failures);
                }
                if ($suspension->isDone()) {
                    return;
                }
                $this->turn();
            }
        } finally {
            $this->running = false;
        }
    }

    public function awaken(): void
    {
        // Each turn looks whether it is the last one.
    }

    public function delay(float $seconds, Closure $callback): string
    {
        $this->timers ??= new Timers();
        return 't' . $this->timers->add($seconds, $callback);
    }

    public function onSignal(int $signal, Closure $callback): string
    {
        return 's' . $this->signals->add($signal, $callback);
    }

    public function cancel(string $id): void
    {
        $number = (int) substr($id, 1);
        if ($id[0] === 't') {
            $this->timers?->cancel($number);
        } else {
            $this->signals->cancel($number);
        }
    }

    public function fail(Throwable $e): void
    {
        $this->failures[] = $e;
    }

    /** Waits for what comes next. */
    private function turn(): void
    {
        $timeout = self::WAIT_MS;
        $next = $this->timers?->next();
        if (Tasks::$ready !== []) {
            $timeout = 0;
        } elseif ($next !== null) {
            $timeout = min($timeout, intdiv($next + 999_999, 1_000_000));
        }
        switch (count($this->servers)) {
            case 0:
                if ($next === null && $timeout > 0 && !$this->signals->areAwaited()) {
                    throw new Error('Nothing is left to wait for: no server, no timer, no signal');
                }
                usleep($timeout * 1000);
                break;
            case 1:
                $server = reset($this->servers);
                if (!$server->turn($timeout)) {
                    $this->remove($server);
                }
                break;
            default:
                $this->turnServers($timeout);
        }
    }

    private function turnServers(int $timeoutMs): void
    {
        foreach ($this->servers as $id => $server) {
            $this->streams[$id] ??= fopen("php://fd/{$server->getDescriptor()}", 'r');
        }
        $readable = array_intersect_key($this->streams, $this->servers);
        $none = null;
        // False: a signal came.
        if (@stream_select($readable, $none, $none, 0, $timeoutMs * 1000) > 0) {
            foreach (array_intersect_key($this->servers, $readable) as $server) {
                if (!$server->turn(0)) {
                    $this->remove($server);
                }
            }
        }
    }

    private function remove(Server $server): void
    {
        $id = spl_object_id($server);
        unset($this->servers[$id], $this->streams[$id]);
    }
}
