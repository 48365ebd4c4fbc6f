<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Wsgate\Outcome;
use Wsgate\Rfc6455Client;
use Wsgate\WebsocketClosedException;
use Wsgate\WebsocketCloseCode;

/**
 * Who was to get a message that a gateway sent to one server's clients, and who did.
 *
 * @internal
 */
final class Delivery
{
    private Outcome $outcome;

    /** @param array<int, Rfc6455Client> $clients who was to get it, by id */
    public function __construct(private array $clients)
    {
    }

    /** @param list<int> $ids who was not to get it after all */
    public function exclude(array $ids): void
    {
        $this->clients = array_diff_key($this->clients, array_flip($ids));
    }

    public function settle(Outcome $outcome): void
    {
        $this->outcome = $outcome;
    }

    /**
     * @param array<int, WebsocketClosedException> $failed by id
     * @param array<int, null> $sent by id
     */
    public function sort(array &$failed, array &$sent): void
    {
        $ids = $this->outcome->refused !== null ? array_keys($this->clients) : $this->outcome->failedIds;
        // Who had left the gateway when the message came to it counts neither as delivered nor as failed there.
        $missing = count($this->clients) - $this->outcome->delivered - $this->outcome->failed;
        if ($missing > 0 && $this->outcome->refused === null) {
            $known = array_flip($ids);
            foreach ($this->clients as $id => $client) {
                if ($missing > 0 && $client->isClosed() && !isset($known[$id])) {
                    $ids[] = $id;
                    $missing--;
                }
            }
        }
        foreach ($ids as $id) {
            $failed[$id] = self::failure($this->clients[$id] ?? null);
        }
        $sent += array_fill_keys(array_keys(array_diff_key($this->clients, $failed)), null);
    }

    public static function failure(?Rfc6455Client $client): WebsocketClosedException
    {
        $info = $client?->isClosed() === true ? $client->getCloseInfo() : null;
        return new WebsocketClosedException(
            'The message was not delivered',
            $info?->getCode() ?? WebsocketCloseCode::ABNORMAL_CLOSE,
            $info?->getReason() ?? '',
        );
    }
}
