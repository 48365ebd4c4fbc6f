<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use Wsgate\Outcome;
use Wsgate\Rfc6455Client;

/**
 * Those clients of a gateway that belong to one server, which has a gateway of its own for them.
 *
 * @internal
 */
final class GatewayPart
{
    private readonly int $id;

    /** @var array<int, Rfc6455Client> by id */
    public array $clients = [];

    public function __construct(private readonly Outgoing $outgoing)
    {
        $this->id = $outgoing->newGateway();
    }

    public function __destruct()
    {
        $this->outgoing->freeGateway($this->id);
    }

    public function add(Rfc6455Client $client): void
    {
        $id = $client->getId();
        if (!isset($this->clients[$id])) {
            $this->clients[$id] = $client;
            $this->outgoing->toGateway(Abi::OP_GATEWAY_ADD, $this->id, '', [$id]);
        }
    }

    public function remove(int $id): void
    {
        if (isset($this->clients[$id])) {
            unset($this->clients[$id]);
            $this->outgoing->toGateway(Abi::OP_GATEWAY_REMOVE, $this->id, '', [$id]);
        }
    }

    /**
     * @param list<int> $ids
     * @param Closure(Outcome): void $outcome
     */
    public function send(int $op, string $data, array $ids, Closure $outcome): void
    {
        $this->outgoing->toGateway($op, $this->id, $data, $ids, $this->outgoing->outcomes->expect($outcome));
    }
}
