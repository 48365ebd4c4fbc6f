<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use Fiber;
use Revolt\EventLoop\FiberLocal;
use Throwable;

/**
 * Fibers that run one job after the other: a new one costs ten times as much as one that is used again.
 *
 * @internal
 */
final class FiberPool implements Task
{
    /** Some kilobytes each. */
    private const MAX_IDLE = 256;

    /** @var list<Fiber> */
    private static array $idle = [];

    /** @param Closure(): void $job */
    private function __construct(private readonly Closure $job)
    {
    }

    /**
     * Runs a job in a fiber, soon.
     *
     * @param Closure(): void $job
     */
    public static function soon(Closure $job): void
    {
        Tasks::add(new self($job));
    }

    public function run(): void
    {
        $fiber = array_pop(self::$idle);
        if ($fiber !== null) {
            $fiber->resume($this->job);
        } else {
            (new Fiber(self::work(...)))->start($this->job);
        }
    }

    /** @param Closure(): void $job */
    private static function work(Closure $job): void
    {
        while (true) {
            try {
                $job();
            } catch (Throwable $e) {
                Loop::get()->fail($e);
            }
            // Whatever the job holds is free now, and not when the next one comes.
            unset($job);
            if (count(self::$idle) >= self::MAX_IDLE) {
                return;
            }
            if (class_exists(FiberLocal::class, false)) {
                FiberLocal::clear();
            }
            self::$idle[] = Fiber::getCurrent();
            $job = Fiber::suspend();
        }
    }
}
