<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Fiber;
use Throwable;

/**
 * What is to run soon, in the order in which it became ready.
 *
 * Fibers are never resumed from where the reason arises, which may be another fiber, but from here. A pump runs
 * the tasks that its batch has made ready before it sends: so what all of them answer leaves together.
 *
 * @internal
 */
final class Tasks
{
    /** @var list<Task> */
    private static array $ready = [];

    private static bool $running = false;

    /** How many pumps deliver: they run the tasks when they have done. */
    private static int $delivering = 0;

    /** The fiber that the innermost pump delivers in; null for {main}. */
    private static ?Fiber $deliveringIn = null;

    public static function add(Task $task): void
    {
        self::$ready[] = $task;
        if (!self::$running && self::$delivering === 0) {
            Loop::get()->kick();
        }
    }

    public static function areWaiting(): bool
    {
        return self::$ready !== [];
    }

    /** Runs tasks until none is left, those that they make ready, too. */
    public static function run(): void
    {
        if (self::$running) {
            return;
        }
        self::$running = true;
        try {
            for ($i = 0; isset(self::$ready[$i]); $i++) {
                try {
                    self::$ready[$i]->run();
                } catch (Throwable $e) {
                    Loop::get()->fail($e);
                }
            }
        } finally {
            self::$ready = [];
            self::$running = false;
        }
    }

    /** A pump begins to call closures. */
    public static function enter(): ?Fiber
    {
        $outer = self::$deliveringIn;
        self::$delivering++;
        self::$deliveringIn = Fiber::getCurrent();
        return $outer;
    }

    /** Its batch is done. */
    public static function leave(?Fiber $outer): void
    {
        self::$delivering--;
        self::$deliveringIn = $outer;
    }

    /** Whether a pump is at work right here, so that nothing may wait: everything would. */
    public static function isInPump(?Fiber $fiber): bool
    {
        return self::$delivering > 0 && $fiber === self::$deliveringIn;
    }
}
