<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;

/**
 * The application's closures of one endpoint. All are always callable: the pump has nothing to test.
 *
 * @internal
 */
final class Handlers
{
    public Closure $accept;
    public Closure $message;
    public Closure $close;
    public Closure $pong;
    public Closure $drain;

    /** Of messages that come in chunks. */
    public Closure $begin;
    public Closure $chunk;
    public Closure $end;

    /** Decides on handshakes; null: the library does. */
    public ?Closure $handshake = null;

    /** Is told of handshakes that ended without a decision. */
    public ?Closure $gone = null;

    public function __construct()
    {
        $nothing = static function (): void {
        };
        $this->accept = $this->message = $this->close = $this->pong = $this->drain = $nothing;
        $this->begin = $this->chunk = $this->end = $nothing;
    }
}
