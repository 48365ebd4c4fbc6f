<?php

declare(strict_types=1);

namespace Wsgate;

use Amp\Cancellation as AmpCancellation;
use Amp\CancelledException as AmpCancelledException;
use Amp\Future as AmpFuture;
use Closure;
use Throwable;
use Wsgate\Internal\Deferred;
use Wsgate\Internal\Engine;
use Wsgate\Internal\FiberPool;
use Wsgate\Internal\Loop;
use Wsgate\Internal\Suspension;

// Futures are amphp's where amphp/amp is installed, and take amphp's cancellations only: ours become them.
// What a preload script has loaded stays as it is.
if (interface_exists(AmpCancellation::class) && !interface_exists(Cancellation::class, false)) {
    class_alias(AmpCancellation::class, Cancellation::class);
    class_alias(AmpCancelledException::class, CancelledException::class);
}

/**
 * Calls a closure in a fiber, soon; its result comes with the future.
 *
 * @template T
 * @param Closure(mixed...): T $closure
 * @return Future<T>|AmpFuture<T>
 */
function async(Closure $closure, mixed ...$arguments): Future|AmpFuture
{
    $deferred = new Deferred();
    FiberPool::soon(static function () use ($deferred, $closure, $arguments): void {
        try {
            $value = $closure(...$arguments);
        } catch (Throwable $e) {
            $deferred->error($e);
            return;
        }
        $deferred->complete($value);
    });
    return $deferred->future();
}

/**
 * Waits, and lets others run meanwhile.
 *
 * @param float $timeout in seconds
 * @throws CancelledException
 */
function delay(float $timeout, Cancellation|AmpCancellation|null $cancellation = null): void
{
    $suspension = new Suspension();
    $timer = Loop::get()->delay($timeout, $suspension->resume(...));
    $cancellationId = $cancellation?->subscribe($suspension->throw(...));
    try {
        $suspension->suspend();
    } finally {
        Loop::get()->cancel($timer);
        if ($cancellationId !== null) {
            $cancellation->unsubscribe($cancellationId);
        }
    }
}

/**
 * Waits for a signal, and serves meanwhile. Needs the pcntl extension.
 *
 * @param int|list<int> $signals
 * @return int the one that came
 * @throws CancelledException
 */
function trapSignal(int|array $signals, Cancellation|AmpCancellation|null $cancellation = null): int
{
    $suspension = new Suspension();
    $ids = [];
    try {
        foreach ((array) $signals as $signal) {
            $ids[] = Loop::get()->onSignal($signal, $suspension->resume(...));
        }
        $cancellationId = $cancellation?->subscribe($suspension->throw(...));
        return $suspension->suspend();
    } finally {
        foreach ($ids as $id) {
            Loop::get()->cancel($id);
        }
        if (isset($cancellationId)) {
            $cancellation->unsubscribe($cancellationId);
        }
    }
}

/**
 * Sets how much memory may hold what waits for the clients of all servers of the process [512 MiB], from now on. Over it,
 * the clients for whom most waits are closed with 1013. What many clients wait for is counted once.
 *
 * @param int $bytes 1 MiB to 2^50
 */
function setOutboxBudget(int $bytes): void
{
    Engine::setForAll('wsgate_set_outbox_budget', 'outbox budget', $bytes);
}

/**
 * Sets how much memory may hold the unfinished messages of all clients of the process [512 MiB], from now on: what came of
 * a message whose end has not. Over it, clients with the longest are closed with 1013. It should be more than the longest
 * message, twice that if it comes in fragments.
 *
 * @param int $bytes 1 MiB to 2^50
 */
function setInboxBudget(int $bytes): void
{
    Engine::setForAll('wsgate_set_inbox_budget', 'inbox budget', $bytes);
}

/** Puts middleware around a request handler; the first is the outermost. */
function stackMiddleware(RequestHandler $handler, Middleware ...$middleware): RequestHandler
{
    foreach (array_reverse($middleware) as $layer) {
        $handler = new Internal\MiddlewareHandler($layer, $handler);
    }
    return $handler;
}
