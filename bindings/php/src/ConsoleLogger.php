<?php

declare(strict_types=1);

namespace Wsgate;

use Psr\Log\AbstractLogger;
use Stringable;
use Throwable;

/** A logger that writes lines to a stream, for programs that bring none of their own. */
final class ConsoleLogger extends AbstractLogger
{
    /** @param resource $stream */
    public function __construct(private readonly mixed $stream = STDERR)
    {
    }

    /**
     * @param mixed $level
     * @param string|Stringable $message
     * @param array<string, mixed> $context
     */
    public function log($level, $message, array $context = []): void
    {
        $values = [];
        foreach ($context as $name => $value) {
            if (is_scalar($value) || $value instanceof Stringable) {
                $values["{{$name}}"] = (string) $value;
            }
        }
        $exception = $context['exception'] ?? null;
        fwrite($this->stream, sprintf(
            "[%s] %s: %s%s\n",
            date('Y-m-d H:i:s'),
            $level,
            strtr((string) $message, $values),
            $exception instanceof Throwable ? "\n$exception" : '',
        ));
    }
}
