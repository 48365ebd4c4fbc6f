<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use Throwable;
use Wsgate\LogLevel;

/**
 * Where log lines go: to the application's closure, or to PHP's error log.
 *
 * @internal
 */
final class Log
{
    public ?Closure $handler = null;

    public function write(LogLevel $level, string $target, string $message): void
    {
        if ($this->handler === null) {
            error_log(sprintf('[%s] %s: %s', strtolower($level->name), $target, $message));
            return;
        }
        try {
            ($this->handler)($level, $target, $message);
        } catch (Throwable $e) {
            error_log("[error] wsgate::php: uncaught in onLog: $e");
        }
    }

    public function uncaught(Throwable $e, string $where): void
    {
        $this->write(LogLevel::Error, 'wsgate::php', "uncaught in $where: $e");
    }
}
