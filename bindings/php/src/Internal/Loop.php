<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use Revolt\EventLoop;
use Throwable;
use Wsgate\Server;

/**
 * What drives servers, timers and signals: Revolt's event loop where it is installed, our own else.
 *
 * @internal
 */
abstract class Loop
{
    private static ?self $loop = null;

    final public static function get(): self
    {
        return self::$loop ??= class_exists(EventLoop::class) ? new RevoltLoop() : new OwnLoop();
    }

    /** Lets a server, which has started, call its closures until it has stopped. */
    abstract public function add(Server $server): void;

    /** Tasks wait, and no pump will run them by itself. */
    abstract public function kick(): void;

    /** {main} waits for this. */
    abstract public function await(Suspension $suspension): void;

    /** What {main} waits for has come. */
    abstract public function awaken(): void;

    /**
     * @param Closure(): void $callback which must not wait
     * @return string for cancel()
     */
    abstract public function delay(float $seconds, Closure $callback): string;

    /**
     * @param Closure(int): void $callback which must not wait
     * @return string for cancel()
     */
    abstract public function onSignal(int $signal, Closure $callback): string;

    abstract public function cancel(string $id): void;

    /** An exception that nobody has caught: it ends what {main} waits for. */
    abstract public function fail(Throwable $e): void;
}
