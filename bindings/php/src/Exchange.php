<?php

declare(strict_types=1);

namespace Wsgate;

use Wsgate\Internal\Answer;
use Wsgate\Internal\Outgoing;

/** A request that waits for the program's response; see Server::onRequest(). */
final class Exchange
{
    private Request|string $request;

    /**
     * @internal
     * @param int|null $refusal the status that the library answers with if the program does not; null: it is a
     *                          request for the program
     */
    public function __construct(
        private readonly int $id,
        string $request,
        public readonly ?int $refusal,
        private readonly Outgoing $outgoing,
    ) {
        $this->request = $request;
    }

    public function getRequest(): Request
    {
        if (is_string($this->request)) {
            $this->request = Request::decode($this->request);
        }
        return $this->request;
    }

    /**
     * Answers, now or later, until the server's request timeout.
     *
     * @param int $status 200 to 599
     * @param array<string, string|list<string>> $headers
     * @return bool false when it was answered already, or the peer is gone
     * @throws WsgateException when the status or a header is bad; then it still waits
     */
    public function respond(int $status, array $headers = [], string $body = ''): bool
    {
        return Answer::respond($this->outgoing, 'wsgate_respond', $this->id, $status, $headers, $body);
    }
}
