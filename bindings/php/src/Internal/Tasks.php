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
    /** @var list<Task> whoever has time looks whether it is empty */
    public static array $ready = [];

    private static bool $running = false;

    /** The fiber that the innermost pump delivers in, null for {main}; false while none does. A pump says so itself. */
    public static Fiber|false|null $deliveringIn = false;

    public static function add(Task $task): void
    {
        self::$ready[] = $task;
        // A pump runs the tasks when it has delivered.
        if (!self::$running && self::$deliveringIn === false) {
            Loop::get()->kick();
        }
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

    /** Whether a pump is at work right here, so that nothing may wait: everything would. */
    public static function isInPump(?Fiber $fiber): bool
    {
        return $fiber === self::$deliveringIn;
    }
}
