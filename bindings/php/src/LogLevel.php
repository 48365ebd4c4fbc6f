<?php

declare(strict_types=1);

namespace Wsgate;

/** How grave a log line is; as a setting, the finest level that is wanted. */
enum LogLevel: int
{
    case Off = 0;
    case Error = 1;
    case Warn = 2;
    case Info = 3;
    case Debug = 4;
    case Trace = 5;

    /** The level's name for Psr\Log\LoggerInterface::log(). */
    public function toPsr(): string
    {
        return match ($this) {
            self::Error => 'error',
            self::Warn => 'warning',
            self::Info => 'info',
            self::Off, self::Debug, self::Trace => 'debug',
        };
    }
}
