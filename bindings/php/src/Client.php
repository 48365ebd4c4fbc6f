<?php

declare(strict_types=1);

namespace Wsgate;

use Wsgate\Internal\Abi;
use Wsgate\Internal\Connection;
use Wsgate\Internal\Outgoing;

/**
 * One accepted connection.
 *
 * Sending never waits and always copies. What callbacks send leaves when the batch of events that is being
 * delivered has been handled, in the order of the calls; sent from elsewhere it leaves at once.
 *
 * When the client is gone or going without the program having been told yet, what is sent to it is dropped
 * silently, as it would be on the network; onClose follows. Once the program knows (it called close(), or
 * onClose was called), sending throws ClosedException.
 *
 * When the client does not keep up, its outbox fills (see EndpointOptions). The message that did not fit is
 * held back and follows when there is room; until then, that is until onDrain, sending throws FullException.
 */
final class Client
{
    /** The application's own; the library does not look at it. */
    public mixed $data = null;

    /** @internal */
    public function __construct(
        /** @internal */
        public readonly Connection $connection,
        /** @internal */
        public readonly Outgoing $outgoing,
    ) {
    }

    /** Unique in the process, never used again. */
    public function getId(): int
    {
        return $this->connection->id;
    }

    /**
     * @param string $data UTF-8; anything else closes this client with 1011
     * @param bool|null $compress that it is compressed, or not, where the endpoint would choose otherwise; without
     *                            compression on the connection it says nothing
     */
    public function sendText(string $data, ?bool $compress = null): void
    {
        if ($this->connection->state !== Connection::OPEN && $this->isDropped()) {
            return;
        }
        $this->outgoing->message(
            $compress === null ? Abi::OP_SEND_TEXT : Outgoing::compressed(Abi::OP_SEND_TEXT, $compress),
            $this->connection,
            $data,
        );
    }

    /** @param bool|null $compress as for sendText() */
    public function sendBinary(string $data, ?bool $compress = null): void
    {
        if ($this->connection->state !== Connection::OPEN && $this->isDropped()) {
            return;
        }
        $this->outgoing->message(
            $compress === null ? Abi::OP_SEND_BINARY : Outgoing::compressed(Abi::OP_SEND_BINARY, $compress),
            $this->connection,
            $data,
        );
    }

    /**
     * Begins a text whose chunks leave as they come; what else is sent to this client meanwhile waits for its end. One
     * message at a time may be open. When none of its chunks comes for a minute, the client is closed with 1011.
     *
     * @param bool|null $compress as for sendText()
     */
    public function beginText(?bool $compress = null): void
    {
        $this->part(Outgoing::compressed(Abi::OP_BEGIN_TEXT, $compress), '');
    }

    /** @param bool|null $compress as for sendText() */
    public function beginBinary(?bool $compress = null): void
    {
        $this->part(Outgoing::compressed(Abi::OP_BEGIN_BINARY, $compress), '');
    }

    /** @param string $data of a text, it may end in the midst of a character */
    public function sendChunk(string $data): void
    {
        if ($data !== '') {
            $this->part(Abi::OP_CHUNK, $data);
        }
    }

    /** Ends the message that is open. */
    public function endMessage(): void
    {
        $this->part(Abi::OP_END, '');
    }

    /** Throws away the rest of a message that arrives; see Endpoint::onChunks(). What is on its way still comes. */
    public function discard(int $message): void
    {
        if ($this->connection->state !== Connection::CLOSED) {
            $this->outgoing->discard($this->connection, $message);
        }
    }

    /**
     * Closes the client. What was sent before goes out first, except what was held back from a full client.
     * No message of this client is delivered any more; onClose is, when both Close frames were exchanged
     * or the endpoint's close period is over. Does nothing when the client is closed.
     *
     * @param int $code 1000 to 1003, 1007 to 1014, or 3000 to 4999 (RFC 6455 §7.4)
     * @param string $reason UTF-8, at most 123 bytes
     * @throws WsgateException when code or reason is none that may be sent
     */
    public function close(int $code = 1000, string $reason = ''): void
    {
        if ($this->connection->state === Connection::CLOSED) {
            return;
        }
        // The parameter has 32 bits: FFI would cut a larger number down to one that may be good.
        $code = max(0, min($code, 0xffffffff));
        try {
            $this->outgoing->call('wsgate_client_close', $this->connection->id, $code, $reason, strlen($reason));
        } catch (ClosedException) {
            // The peer was faster, and onClose follows.
        }
        $this->connection->closed();
    }

    /** Pings the client; onPong gets the ticket with its answer. */
    public function ping(int $ticket): void
    {
        if ($this->connection->state === Connection::CLOSED) {
            throw $this->refusal();
        }
        try {
            $this->outgoing->call('wsgate_client_ping', $this->connection->id, $ticket);
        } catch (ClosedException) {
            // As for messages: onClose follows.
        }
    }

    /**
     * Stops the reading of this client until resume(): the network holds it back. What waits already still comes. A
     * client that is not read is not pinged by the heartbeat.
     */
    public function pause(): void
    {
        $this->tell('wsgate_client_pause');
    }

    public function resume(): void
    {
        $this->tell('wsgate_client_resume');
    }

    /** Lets the client send more: so much of what it said has been dealt with. See EndpointOptions' $grants. */
    public function grant(int $bytes, int $messages): void
    {
        $this->tell('wsgate_client_grant', max(0, $bytes), max(0, $messages));
    }

    /** Counters and times as they are now; null when the client is gone. onClose brings the last ones. */
    public function getInfo(): ?ClientInfo
    {
        return $this->outgoing->info($this->connection);
    }

    /** The HTTP request this client began with. */
    public function getRequest(): Request
    {
        if (is_string($this->connection->request)) {
            $this->connection->request = Request::decode($this->connection->request);
        }
        return $this->connection->request;
    }

    /** Whether the program closed this client, or was told by onClose that it is closed. */
    public function isClosed(): bool
    {
        return $this->connection->state === Connection::CLOSED;
    }

    /** Whether compression was agreed upon. */
    public function isCompressed(): bool
    {
        return $this->connection->isCompressed;
    }

    /** Whether sending throws FullException, until onDrain. */
    public function isFull(): bool
    {
        return $this->connection->state === Connection::FULL;
    }

    private function part(int $op, string $data): void
    {
        if ($this->connection->state !== Connection::OPEN && $this->isDropped()) {
            return;
        }
        $this->outgoing->message($op, $this->connection, $data);
    }

    /**
     * Whether what is sent goes nowhere.
     *
     * @throws WsgateException when the program could know
     */
    private function isDropped(): bool
    {
        return $this->connection->state === Connection::GONE ? true : throw $this->refusal();
    }

    private function tell(string $function, int ...$arguments): void
    {
        if ($this->connection->state !== Connection::CLOSED) {
            try {
                $this->outgoing->call($function, $this->connection->id, ...$arguments);
            } catch (ClosedException) {
                // As for messages: onClose follows.
            }
        }
    }

    private function refusal(): WsgateException
    {
        $id = $this->connection->id;
        return $this->isClosed()
            ? new ClosedException(Status::Closed, "client $id is closed")
            : new FullException(Status::Full, "client $id does not keep up: its outbox is full until onDrain");
    }
}
