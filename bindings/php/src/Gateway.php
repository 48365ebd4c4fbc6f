<?php

declare(strict_types=1);

namespace Wsgate;

use Closure;
use Countable;
use Wsgate\Internal\Abi;
use Wsgate\Internal\Outgoing;

/** A set of clients that is broadcast to. A client that closes leaves by itself. */
final class Gateway implements Countable
{
    /** @internal */
    public function __construct(
        private readonly int $id,
        private readonly Outgoing $outgoing,
    ) {
    }

    /** Unique in the process, never used again. */
    public function getId(): int
    {
        return $this->id;
    }

    /** Adds a client; nothing happens when it is a member or closed. */
    public function add(Client $client): void
    {
        $this->outgoing->toGateway(Abi::OP_GATEWAY_ADD, $this->id, '', [$client->getId()]);
    }

    /** Takes a client out; nothing happens when it is no member. */
    public function remove(Client $client): void
    {
        $this->outgoing->toGateway(Abi::OP_GATEWAY_REMOVE, $this->id, '', [$client->getId()]);
    }

    /** How many clients there are. Adding and removing count a moment later. */
    public function count(): int
    {
        try {
            return $this->outgoing->call('wsgate_gateway_count', $this->id);
        } catch (ClosedException) {
            return 0;
        }
    }

    /**
     * Sends a text to all members, in order with everything else that the program sends.
     *
     * @param string $data UTF-8
     * @param array<Client> $except members that are left out
     * @param Closure(Outcome): void|null $outcome is told, always, what became of it
     * @param bool|null $compress as for Client::sendText()
     */
    public function broadcastText(string $data, array $except = [], ?Closure $outcome = null, ?bool $compress = null): void
    {
        $this->send(Outgoing::compressed(Abi::OP_BROADCAST_TEXT, $compress), $data, $except, $outcome);
    }

    /**
     * @param array<Client> $except members that are left out
     * @param Closure(Outcome): void|null $outcome is told, always, what became of it
     * @param bool|null $compress as for Client::sendText()
     */
    public function broadcastBinary(string $data, array $except = [], ?Closure $outcome = null, ?bool $compress = null): void
    {
        $this->send(Outgoing::compressed(Abi::OP_BROADCAST_BINARY, $compress), $data, $except, $outcome);
    }

    /**
     * Sends a text to some members; who is none is skipped, and has failed for the outcome.
     *
     * @param string $data UTF-8
     * @param array<Client> $clients
     * @param Closure(Outcome): void|null $outcome is told, always, what became of it
     * @param bool|null $compress as for Client::sendText()
     */
    public function multicastText(string $data, array $clients, ?Closure $outcome = null, ?bool $compress = null): void
    {
        $this->send(Outgoing::compressed(Abi::OP_MULTICAST_TEXT, $compress), $data, $clients, $outcome);
    }

    /**
     * @param array<Client> $clients
     * @param Closure(Outcome): void|null $outcome is told, always, what became of it
     * @param bool|null $compress as for Client::sendText()
     */
    public function multicastBinary(string $data, array $clients, ?Closure $outcome = null, ?bool $compress = null): void
    {
        $this->send(Outgoing::compressed(Abi::OP_MULTICAST_BINARY, $compress), $data, $clients, $outcome);
    }

    /** Ends the gateway; its members stay connected. Broadcasts to it go nowhere from now on. */
    public function close(): void
    {
        try {
            $this->outgoing->call('wsgate_gateway_free', $this->id);
        } catch (ClosedException) {
            // Closed twice, or the server has stopped.
        }
    }

    /** @param array<Client> $clients */
    private function send(int $op, string $data, array $clients, ?Closure $outcome): void
    {
        $ids = [];
        foreach ($clients as $client) {
            $ids[] = $client->getId();
        }
        $ticket = $outcome === null ? 0 : $this->outgoing->outcomes->expect($outcome);
        $this->outgoing->toGateway($op, $this->id, $data, $ids, $ticket);
    }
}
