<?php

declare(strict_types=1);

namespace Wsgate;

use Amp\Future as AmpFuture;
use Closure;
use Error;
use Wsgate\Internal\Abi;
use Wsgate\Internal\Deferred;
use Wsgate\Internal\Delivery;
use Wsgate\Internal\GatewayPart;
use Wsgate\Internal\Outgoing;

/** A gateway. Messages are encoded once, and written by the library's threads. */
final class WebsocketClientGateway implements WebsocketGateway
{
    /** @var array<int, GatewayPart> by server; mostly there is one */
    private array $parts = [];

    /** @param bool|null $compress as for Rfc6455Client::sendText() */
    public function broadcastText(string $data, array $excludedClientIds = [], ?bool $compress = null): Future|AmpFuture
    {
        return $this->broadcast(Outgoing::compressed(Abi::OP_BROADCAST_TEXT, $compress), $data, $excludedClientIds);
    }

    /** @param bool|null $compress as for Rfc6455Client::sendText() */
    public function broadcastBinary(string $data, array $excludedClientIds = [], ?bool $compress = null): Future|AmpFuture
    {
        return $this->broadcast(Outgoing::compressed(Abi::OP_BROADCAST_BINARY, $compress), $data, $excludedClientIds);
    }

    /** @param bool|null $compress as for Rfc6455Client::sendText() */
    public function multicastText(string $data, array $clientIds, ?bool $compress = null): Future|AmpFuture
    {
        return $this->multicast(Outgoing::compressed(Abi::OP_MULTICAST_TEXT, $compress), $data, $clientIds);
    }

    /** @param bool|null $compress as for Rfc6455Client::sendText() */
    public function multicastBinary(string $data, array $clientIds, ?bool $compress = null): Future|AmpFuture
    {
        return $this->multicast(Outgoing::compressed(Abi::OP_MULTICAST_BINARY, $compress), $data, $clientIds);
    }

    /** @param bool|null $compress as for Rfc6455Client::sendText() */
    public function sendText(string $data, int $clientId, ?bool $compress = null): Future|AmpFuture
    {
        return $this->send(Outgoing::compressed(Abi::OP_MULTICAST_TEXT, $compress), $data, $clientId);
    }

    /** @param bool|null $compress as for Rfc6455Client::sendText() */
    public function sendBinary(string $data, int $clientId, ?bool $compress = null): Future|AmpFuture
    {
        return $this->send(Outgoing::compressed(Abi::OP_MULTICAST_BINARY, $compress), $data, $clientId);
    }

    public function getClients(): array
    {
        $clients = [];
        foreach ($this->parts as $part) {
            $clients += $part->clients;
        }
        return $clients;
    }

    public function addClient(WebsocketClient $client): void
    {
        if (!$client instanceof Rfc6455Client) {
            throw new Error('A gateway takes the clients that this package makes, not a ' . $client::class);
        }
        if ($client->isClosed()) {
            return;
        }
        $key = spl_object_id($client->outgoing);
        $part = $this->parts[$key] ??= new GatewayPart($client->outgoing);
        if (!isset($part->clients[$client->getId()])) {
            $part->add($client);
            $client->onEnd(static function (int $id) use ($part): void {
                unset($part->clients[$id]);
            });
        }
    }

    /** Takes a client out; nothing happens when it is not in it. */
    public function removeClient(WebsocketClient $client): void
    {
        foreach ($this->parts as $part) {
            $part->remove($client->getId());
        }
    }

    /** @param list<int> $excluded */
    private function broadcast(int $op, string $data, array $excluded): Future|AmpFuture
    {
        $deliveries = [];
        foreach ($this->parts as $key => $part) {
            // The array is shared until a client comes or goes.
            $deliveries[$key] = new Delivery($part->clients);
        }
        return $this->deliver(
            $deliveries,
            static function (GatewayPart $part, Closure $outcome) use ($op, $data, $excluded): void {
                $part->send($op, $data, $excluded, $outcome);
            },
            $excluded,
        );
    }

    /** @param list<int> $ids */
    private function multicast(int $op, string $data, array $ids): Future|AmpFuture
    {
        $deliveries = [];
        $chosen = array_flip($ids);
        foreach ($this->parts as $key => $part) {
            $clients = array_intersect_key($part->clients, $chosen);
            if ($clients !== []) {
                $deliveries[$key] = new Delivery($clients);
            }
        }
        return $this->deliver(
            $deliveries,
            static function (GatewayPart $part, Closure $outcome) use ($op, $data, $chosen): void {
                $part->send($op, $data, array_keys(array_intersect_key($part->clients, $chosen)), $outcome);
            },
            [],
        );
    }

    private function send(int $op, string $data, int $id): Future|AmpFuture
    {
        $deferred = new Deferred();
        $future = $deferred->future();
        foreach ($this->parts as $part) {
            $client = $part->clients[$id] ?? null;
            if ($client !== null) {
                // Whoever is not interested need not say so.
                $future->ignore();
                $part->send($op, $data, [$id], static function (Outcome $outcome) use ($deferred, $client): void {
                    if ($outcome->delivered === 1) {
                        $deferred->complete(null);
                    } else {
                        $deferred->error(Delivery::failure($client));
                    }
                });
                return $future;
            }
        }
        $deferred->complete(null);
        return $future;
    }

    /**
     * @param array<int, Delivery> $deliveries by server
     * @param Closure(GatewayPart, Closure(Outcome): void): void $send
     * @param list<int> $excluded
     */
    private function deliver(array $deliveries, Closure $send, array $excluded): Future|AmpFuture
    {
        $deferred = new Deferred();
        $future = $deferred->future();
        $open = count($deliveries);
        $make = static function () use ($deliveries, $excluded): array {
            $failed = $sent = [];
            foreach ($deliveries as $delivery) {
                $delivery->exclude($excluded);
                $delivery->sort($failed, $sent);
            }
            return [$failed, $sent];
        };
        if ($open === 0) {
            $deferred->complete([[], []]);
        }
        foreach ($deliveries as $key => $delivery) {
            $send($this->parts[$key], static function (Outcome $outcome) use ($delivery, &$open, $deferred, $make): void {
                $delivery->settle($outcome);
                if (--$open === 0) {
                    $deferred->completeLazily($make);
                }
            });
        }
        return $future;
    }
}
