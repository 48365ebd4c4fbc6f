<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use Error;

/**
 * The signals of the own loop, by the pcntl extension.
 *
 * @internal
 */
final class Signals
{
    /** @var array<int, array<int, Closure(int): void>> by signal and id */
    private array $callbacks = [];

    /** @var array<int, mixed> what handled a signal before us */
    private array $before = [];

    private int $last = 0;

    private readonly bool $arePossible;

    public function __construct()
    {
        $this->arePossible = function_exists('pcntl_signal_dispatch');
    }

    /** @param Closure(int): void $callback */
    public function add(int $signal, Closure $callback): int
    {
        if (!$this->arePossible) {
            throw new Error('Signals need the pcntl extension');
        }
        if (!isset($this->callbacks[$signal])) {
            $this->before[$signal] = pcntl_signal_get_handler($signal);
            pcntl_signal($signal, function (int $signal): void {
                foreach ($this->callbacks[$signal] ?? [] as $callback) {
                    $callback($signal);
                }
            });
        }
        $this->callbacks[$signal][++$this->last] = $callback;
        return $this->last;
    }

    public function cancel(int $id): void
    {
        foreach ($this->callbacks as $signal => $callbacks) {
            if (isset($callbacks[$id])) {
                unset($this->callbacks[$signal][$id]);
                if ($this->callbacks[$signal] === []) {
                    pcntl_signal($signal, $this->before[$signal]);
                    unset($this->callbacks[$signal], $this->before[$signal]);
                }
                return;
            }
        }
    }

    public function areAwaited(): bool
    {
        return $this->callbacks !== [];
    }
}
