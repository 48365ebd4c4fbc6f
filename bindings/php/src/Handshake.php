<?php

declare(strict_types=1);

namespace Wsgate;

use Wsgate\Internal\Answer;
use Wsgate\Internal\Outgoing;

/**
 * Somebody who wants to become a client, and waits for the program's decision; see Endpoint::onHandshake().
 *
 * It may be made now or later, until the endpoint's handshake timeout.
 */
final class Handshake
{
    private Request|string $request;

    /** @internal */
    public function __construct(
        private readonly int $id,
        string $request,
        private readonly Outgoing $outgoing,
    ) {
        $this->request = $request;
    }

    /** The id that the client will have. */
    public function getId(): int
    {
        return $this->id;
    }

    public function getRequest(): Request
    {
        if (is_string($this->request)) {
            $this->request = Request::decode($this->request);
        }
        return $this->request;
    }

    /**
     * Makes it a client: onAccept follows, if the connection lasts that long.
     *
     * @param string|null $subprotocol one of those that are offered, or '' for none; null: by the endpoint's list
     * @param array<string, string|list<string>> $headers of the response, besides those of the handshake itself
     * @return bool false when it is decided already, or gone
     * @throws WsgateException when the subprotocol or a header is bad; then it still waits
     */
    public function accept(?string $subprotocol = null, array $headers = []): bool
    {
        $fields = Answer::fields($headers);
        return Answer::give($this->outgoing, 'wsgate_accept', [
            $this->id,
            $subprotocol,
            strlen($subprotocol ?? ''),
            $fields,
            strlen($fields),
            0,
            0,
        ]);
    }

    /**
     * Refuses it with an HTTP response.
     *
     * @param int $status 300 to 599
     * @param array<string, string|list<string>> $headers
     * @return bool false when it is decided already, or gone
     * @throws WsgateException when the status or a header is bad; then it still waits
     */
    public function reject(int $status, array $headers = [], string $body = ''): bool
    {
        return Answer::respond($this->outgoing, 'wsgate_reject', $this->id, $status, $headers, $body);
    }
}
