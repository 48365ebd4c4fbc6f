<?php

declare(strict_types=1);

namespace Wsgate;

use Closure;
use Wsgate\Internal\Engine;
use Wsgate\Internal\Handlers;

/**
 * A path that upgrades to WebSocket, and what happens to its clients.
 *
 * The closures are called on the program's own thread, one after the other, inside Server::run() or
 * Server::tick(). When one throws, the exception is logged and that client is closed with 1011.
 * Every client has one onAccept, first, and one onClose, last.
 */
final class Endpoint
{
    /** @internal */
    public function __construct(
        public readonly string $path,
        private readonly Handlers $handlers,
        private readonly Engine $engine,
        private readonly int $number,
    ) {
    }

    /**
     * Lets the program decide who becomes a client, before the server starts. What is no proper handshake, or
     * has a wrong origin, is refused before.
     *
     * @param Closure(Handshake): void $handler accepts or rejects, at once or later
     * @param Closure(int, int): void|null $gone is called with the handshake's id when it needs no decision any
     *                                           more, and with the status the peer was told; 0: it has left
     */
    public function onHandshake(Closure $handler, ?Closure $gone = null): self
    {
        $this->engine->call('wsgate_endpoint_set_acceptor', $this->number, 1);
        $this->handlers->handshake = $handler;
        $this->handlers->gone = $gone;
        return $this;
    }

    /** @param Closure(Client): void $handler */
    public function onAccept(Closure $handler): self
    {
        $this->handlers->accept = $handler;
        return $this;
    }

    /** @param Closure(Client, string, bool): void $handler the data, and whether it is binary */
    public function onMessage(Closure $handler): self
    {
        $this->handlers->message = $handler;
        return $this;
    }

    /**
     * Takes messages while they arrive, before the server starts: those of more than 64 KiB, or in frames that do not come
     * together. The others go to onMessage, as ever. Of a client that closes in the midst of a message no end comes.
     *
     * @param Closure(Client, int, bool): void $begin the message's number, for Client::discard(), and whether it is binary
     * @param Closure(Client, string): void $chunk of a text, it may end in the midst of a character
     * @param Closure(Client): void $end
     */
    public function onChunks(Closure $begin, Closure $chunk, Closure $end): self
    {
        $this->engine->call('wsgate_endpoint_set_streaming', $this->number, 1);
        $this->handlers->begin = $begin;
        $this->handlers->chunk = $chunk;
        $this->handlers->end = $end;
        return $this;
    }

    /** @param Closure(Client, CloseInfo): void $handler */
    public function onClose(Closure $handler): self
    {
        $this->handlers->close = $handler;
        return $this;
    }

    /** @param Closure(Client, int): void $handler the ticket given to Client::ping() */
    public function onPong(Closure $handler): self
    {
        $this->handlers->pong = $handler;
        return $this;
    }

    /** @param Closure(Client): void $handler the client's outbox was full and has room again */
    public function onDrain(Closure $handler): self
    {
        $this->handlers->drain = $handler;
        return $this;
    }
}
