<?php

declare(strict_types=1);

namespace Wsgate;

use Amp\Future as AmpFuture;
use Throwable;

/**
 * A set of clients that is sent to together. All that one program sends, by a gateway or to a client directly,
 * reaches a client in the order of the calls.
 *
 * The futures complete when each client has the message or is known not to get it, always. They need not be
 * awaited, and their value is an array of two: exceptions of the clients that failed, and nulls of the others, each
 * by the client's id. Ids that are not in the gateway are skipped.
 */
interface WebsocketGateway
{
    /**
     * Sends a text to all.
     *
     * @param string $data UTF-8
     * @param list<int> $excludedClientIds
     * @return Future<array{array<int, Throwable>, array<int, null>}>|AmpFuture
     */
    public function broadcastText(string $data, array $excludedClientIds = []): Future|AmpFuture;

    /**
     * @param list<int> $excludedClientIds
     * @return Future<array{array<int, Throwable>, array<int, null>}>|AmpFuture
     */
    public function broadcastBinary(string $data, array $excludedClientIds = []): Future|AmpFuture;

    /**
     * Sends a text to some.
     *
     * @param string $data UTF-8
     * @param list<int> $clientIds
     * @return Future<array{array<int, Throwable>, array<int, null>}>|AmpFuture
     */
    public function multicastText(string $data, array $clientIds): Future|AmpFuture;

    /**
     * @param list<int> $clientIds
     * @return Future<array{array<int, Throwable>, array<int, null>}>|AmpFuture
     */
    public function multicastBinary(string $data, array $clientIds): Future|AmpFuture;

    /**
     * Sends a text to one.
     *
     * @param string $data UTF-8
     * @return Future<null>|AmpFuture fails with WebsocketClosedException when the client does not get it
     */
    public function sendText(string $data, int $clientId): Future|AmpFuture;

    /** @return Future<null>|AmpFuture fails with WebsocketClosedException when the client does not get it */
    public function sendBinary(string $data, int $clientId): Future|AmpFuture;

    /** @return array<int, WebsocketClient> by id */
    public function getClients(): array;

    /** A client may be in many gateways. It leaves them when it closes. */
    public function addClient(WebsocketClient $client): void;
}
