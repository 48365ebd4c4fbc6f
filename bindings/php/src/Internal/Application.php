<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use Psr\Log\LoggerInterface;
use Throwable;
use Wsgate\CancelledException;
use Wsgate\Client;
use Wsgate\CloseInfo;
use Wsgate\Endpoint;
use Wsgate\ErrorHandler;
use Wsgate\Exchange;
use Wsgate\Handshake;
use Wsgate\HttpErrorException;
use Wsgate\HttpStatus;
use Wsgate\PlainErrorHandler;
use Wsgate\Request;
use Wsgate\RequestHandler;
use Wsgate\Response;
use Wsgate\Rfc6455Client;
use Wsgate\Websocket;
use Wsgate\WsgateException;

/**
 * Leads a server's handshakes and requests through the application's handlers, and its clients to their own.
 *
 * @internal
 */
final class Application
{
    /** What the handshake itself sets, or what would frame the message. */
    private const RESERVED = [
        'connection' => true,
        'upgrade' => true,
        'sec-websocket-accept' => true,
        'sec-websocket-protocol' => true,
        'sec-websocket-extensions' => true,
        'sec-websocket-version' => true,
        'content-length' => true,
        'transfer-encoding' => true,
    ];

    /** @var array<int, Request> the handshakes that are being decided on, by id */
    private array $undecided = [];

    /** @var array<int, array{Websocket, Request, Response}> who was accepted and is no client yet, by id */
    private array $accepted = [];

    /** @param Closure(Request): void $before looks at each request first */
    public function __construct(
        private readonly RequestHandler $handler,
        private readonly ErrorHandler $errorHandler,
        private readonly LoggerInterface $logger,
        private readonly Closure $before,
    ) {
    }

    /** Takes over an endpoint. */
    public function attach(Endpoint $endpoint): void
    {
        $endpoint
            ->onHandshake(function (Handshake $handshake): void {
                $this->undecided[$handshake->getId()] = $handshake->getRequest();
                FiberPool::soon(fn () => $this->decide($handshake));
            }, function (int $id): void {
                unset($this->accepted[$id]);
                ($this->undecided[$id] ?? null)?->cancel();
            })
            ->onAccept($this->welcome(...))
            ->onMessage(static function (Client $client, string $data, bool $binary): void {
                $client->data->put($data, $binary);
            })
            ->onChunks(static function (Client $client, int $number, bool $binary): void {
                $client->data->begin($number, $binary);
            }, static function (Client $client, string $data): void {
                $client->data->chunk($data);
            }, static function (Client $client): void {
                $client->data->endMessage();
            })
            ->onPong(static function (Client $client, int $ticket): void {
                $client->data->pong($ticket);
            })
            ->onDrain(static function (Client $client): void {
                $client->data->wakeSenders();
            });
    }

    /** Answers a plain request. */
    public function answer(Exchange $exchange): void
    {
        FiberPool::soon(function () use ($exchange): void {
            $response = $this->respond($exchange->getRequest());
            if ($response->getStatus() < HttpStatus::OK) {
                $response = $this->errorHandler->handleError(HttpStatus::UPGRADE_REQUIRED, null, $exchange->getRequest());
            }
            $this->send($exchange->respond(...), $response);
        });
    }

    /** Words the refusal of a request that the library has refused. */
    public function refuse(Exchange $exchange): void
    {
        FiberPool::soon(function () use ($exchange): void {
            $request = $exchange->getRequest();
            try {
                ($this->before)($request);
                $response = $this->errorHandler->handleError($exchange->refusal, null, $request);
            } catch (Throwable $e) {
                $this->logger->error("The error handler failed: {$e->getMessage()}", ['exception' => $e]);
                $response = (new PlainErrorHandler())->handleError($exchange->refusal);
            }
            $this->send($exchange->respond(...), $response);
        });
    }

    private function decide(Handshake $handshake): void
    {
        $request = $handshake->getRequest();
        try {
            $response = $this->respond($request);
        } finally {
            unset($this->undecided[$handshake->getId()]);
        }
        $websocket = $response->upgradesTo();
        if ($websocket === null) {
            if ($response->getStatus() < HttpStatus::MOVED_PERMANENTLY) {
                // A handler that knows nothing of WebSocket has answered.
                $response = $this->errorHandler->handleError(HttpStatus::NOT_FOUND, null, $request);
            }
            $this->send($handshake->reject(...), $response);
            return;
        }
        $this->accepted[$handshake->getId()] = [$websocket, $request, $response];
        try {
            $accepted = $handshake->accept(
                $response->getHeader('sec-websocket-protocol') ?? '',
                array_diff_key($response->getHeaders(), self::RESERVED),
            );
        } catch (WsgateException $e) {
            $this->logger->error("The acceptor's response cannot be sent: {$e->getMessage()}", ['exception' => $e]);
            $accepted = false;
            $this->send($handshake->reject(...), $this->fail($request));
        }
        if (!$accepted) {
            unset($this->accepted[$handshake->getId()]);
        }
    }

    /** A handshake has become a client. */
    private function welcome(Client $client): void
    {
        [$websocket, $request, $response] = $this->accepted[$client->getId()];
        unset($this->accepted[$client->getId()]);
        // The client's copy of the request is not needed beside ours.
        $client->connection->request = $request;
        $client->data = $session = new Session($client->connection, $client->outgoing, $websocket->options());
        $handled = new Rfc6455Client($client, $session, $request, $websocket->logger());
        $client->connection->ended = static function (CloseInfo $info) use ($handled): void {
            $handled->ended($info);
        };
        FiberPool::soon(static function () use ($websocket, $handled, $request, $response): void {
            $websocket->serve($handled, $request, $response);
        });
    }

    private function respond(Request $request): Response
    {
        try {
            ($this->before)($request);
            return $this->handler->handleRequest($request);
        } catch (HttpErrorException $e) {
            return $this->errorHandler->handleError($e->getStatus(), $e->getReason(), $request);
        } catch (Throwable $e) {
            if ($e instanceof CancelledException && $request->getCancellation()->isRequested()) {
                // The acceptor has heard that it is not waited for. Nobody gets this.
                return new Response(HttpStatus::SERVICE_UNAVAILABLE);
            }
            $this->logger->error(sprintf(
                'Unexpected %s with message \'%s\' thrown while handling a request to %s',
                $e::class,
                $e->getMessage(),
                $request->getUri()->getPath(),
            ), ['exception' => $e]);
            return $this->fail($request);
        }
    }

    private function fail(Request $request): Response
    {
        return $this->errorHandler->handleError(HttpStatus::INTERNAL_SERVER_ERROR, null, $request);
    }

    /** @param Closure(int, array<string, list<string>>, string): bool $send */
    private function send(Closure $send, Response $response): void
    {
        try {
            $send(
                $response->getStatus(),
                array_diff_key($response->getHeaders(), self::RESERVED),
                $response->getBody(),
            );
        } catch (WsgateException $e) {
            $this->logger->error("A response cannot be sent: {$e->getMessage()}", ['exception' => $e]);
            $send(HttpStatus::INTERNAL_SERVER_ERROR, ['content-type' => ['text/plain']], 'Internal Server Error');
        }
    }
}
