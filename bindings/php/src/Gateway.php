<?php

declare(strict_types=1);

namespace Wsgate;

use Wsgate\Internal\Abi;
use Wsgate\Internal\Outgoing;

/** A set of clients that is broadcast to. A client that closes leaves by itself. */
final class Gateway
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
        $this->change('wsgate_gateway_add', $client);
    }

    /** Takes a client out; nothing happens when it is no member. */
    public function remove(Client $client): void
    {
        $this->change('wsgate_gateway_remove', $client);
    }

    /**
     * Sends a text to all members, in order with everything else that the program sends.
     *
     * @param string $data UTF-8
     * @param array<Client> $except members that are left out
     */
    public function broadcastText(string $data, array $except = []): void
    {
        $this->broadcast(Abi::OP_BROADCAST_TEXT, $data, $except);
    }

    /** @param array<Client> $except members that are left out */
    public function broadcastBinary(string $data, array $except = []): void
    {
        $this->broadcast(Abi::OP_BROADCAST_BINARY, $data, $except);
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

    /** @param array<Client> $except */
    private function broadcast(int $op, string $data, array $except): void
    {
        $ids = [];
        foreach ($except as $client) {
            $ids[] = $client->getId();
        }
        $this->outgoing->broadcast($op, $this->id, $data, $ids);
    }

    private function change(string $function, Client $client): void
    {
        try {
            $this->outgoing->call($function, $this->id, $client->getId());
        } catch (ClosedException) {
            // One of the two is gone: there is nothing to join or to leave.
        }
    }
}
