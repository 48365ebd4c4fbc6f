<?php

declare(strict_types=1);

namespace Wsgate;

use Throwable;

/** A message could not be sent because the client is closed. Its code is the close code. */
final class WebsocketClosedException extends WebsocketException
{
    public function __construct(
        string $message,
        int $code,
        private readonly string $reason,
        ?Throwable $previous = null,
    ) {
        $name = WebsocketCloseCode::getName($code) ?? 'Unknown code';
        parent::__construct("$message; Code $code ($name); Reason: \"$reason\"", $code, $previous);
    }

    public function getReason(): string
    {
        return $this->reason;
    }
}
