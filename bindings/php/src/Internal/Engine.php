<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use FFI;
use FFI\CData;
use Wsgate\ClosedException;
use Wsgate\FullException;
use Wsgate\Status;
use Wsgate\WsgateException;

/**
 * Owns the library's server and batch, and frees them exactly once, whoever comes first: the end of
 * run(), a destructor, or the script's shutdown. After that every call answers CLOSED.
 *
 * @internal
 */
final class Engine
{
    public readonly FFI $ffi;

    /** Null once freed. Never handed to C then. */
    public ?CData $server;

    /** What take() fills. */
    public readonly CData $batch;

    public function __construct()
    {
        $this->ffi = Library::load();
        $this->server = $this->ffi->wsgate_server_new();
        $this->batch = $this->ffi->wsgate_batch_new();
    }

    public function __destruct()
    {
        $this->free();
    }

    /**
     * FFI follows a pointer that is dumped, also to what is freed or not filled yet.
     *
     * @return array<string, mixed>
     */
    public function __debugInfo(): array
    {
        return ['isFreed' => $this->server === null];
    }

    /** Stops the server if it runs, and waits for its threads. */
    public function free(): void
    {
        if ($this->server === null) {
            return;
        }
        [$server, $this->server] = [$this->server, null];
        $this->ffi->wsgate_server_free($server);
        $this->ffi->wsgate_batch_free($this->batch);
    }

    /**
     * Calls a function whose first parameter is the server and which answers a status, or a count.
     *
     * @throws WsgateException when the answer is negative
     */
    public function call(string $function, mixed ...$arguments): int
    {
        if ($this->server === null) {
            throw new ClosedException(Status::Closed, 'the server has stopped');
        }
        $status = $this->ffi->$function($this->server, ...$arguments);
        if ($status < 0) {
            throw self::exception($status);
        }
        return $status;
    }

    /** Calls a setter. */
    public function set(string $function, string $setting, int ...$arguments): void
    {
        foreach ($arguments as $value) {
            self::refuseNegative($setting, $value);
        }
        $this->call($function, ...$arguments);
    }

    /** Calls a setter of what all servers of the process share. */
    public static function setForAll(string $function, string $setting, int $value): void
    {
        self::refuseNegative($setting, $value);
        $status = Library::load()->$function($value);
        if ($status < 0) {
            throw self::exception($status);
        }
    }

    /** The exception for a status, with the library's own words about this thread's latest failed call. */
    public static function exception(int $status): WsgateException
    {
        $ffi = Library::load();
        $text = $ffi->wsgate_last_error();
        if ($text === '') {
            $text = $ffi->wsgate_status_text($status);
        }
        $status = Status::from($status);
        return match ($status) {
            Status::Closed => new ClosedException($status, $text),
            Status::Full => new FullException($status, $text),
            default => new WsgateException($status, $text),
        };
    }

    /** Seconds as the library counts them; what is beyond all bounds stays so, and is refused there. */
    public static function milliseconds(string $setting, float $seconds): int
    {
        if (is_nan($seconds)) {
            throw new WsgateException(Status::Config, "$setting is NAN, which is no number of seconds");
        }
        return (int) max(-9e18, min(9e18, round($seconds * 1000)));
    }

    /** FFI would hand over a negative number as a huge one. */
    private static function refuseNegative(string $setting, int $value): void
    {
        if ($value < 0) {
            throw new WsgateException(Status::Config, "$setting is $value, below 0");
        }
    }
}
