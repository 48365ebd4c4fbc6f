<?php

declare(strict_types=1);

namespace Wsgate;

use Amp\ByteStream\ReadableStream as AmpReadableStream;
use Amp\Cancellation as AmpCancellation;
use Closure;
use Error;
use IteratorAggregate;
use Psr\Log\LoggerInterface;
use Throwable;
use Traversable;
use Wsgate\Internal\Abi;
use Wsgate\Internal\Connection;
use Wsgate\Internal\FiberPool;
use Wsgate\Internal\Outgoing;
use Wsgate\Internal\Session;
use Wsgate\Internal\Turns;

/**
 * The client of a Websocket endpoint.
 *
 * @implements IteratorAggregate<int, WebsocketMessage>
 */
final class Rfc6455Client implements WebsocketClient, IteratorAggregate
{
    public const DEFAULT_FRAME_SPLIT_THRESHOLD = 32_768;
    public const DEFAULT_CLOSE_PERIOD = 3;

    /** @internal */
    public readonly Outgoing $outgoing;

    /** In bytes; then others run. */
    private const SENT_AT_ONCE = 1_048_576;

    private readonly Connection $connection;

    private readonly Session $session;

    private ?WebsocketCloseInfo $closeInfo = null;

    /** What counters and times were at the end. */
    private ?ClientInfo $final = null;

    /** The latest that is known, for the moment between close() and the end. */
    private ?ClientInfo $latest = null;

    private int $sent = 0;

    /** Those who stream to it; null: nobody has. */
    private ?Turns $streams = null;

    /** @var list<Closure(int, WebsocketCloseInfo): void> */
    private array $onClose = [];

    /** @var list<Closure(int): void> */
    private array $onEnd = [];

    /** @internal */
    public function __construct(
        private readonly Client $client,
        Session $session,
        private readonly Request $request,
        private readonly LoggerInterface $logger,
    ) {
        $this->connection = $client->connection;
        $this->outgoing = $client->outgoing;
        $this->session = $session;
    }

    public function receive(Cancellation|AmpCancellation|null $cancellation = null): ?WebsocketMessage
    {
        return $this->session->take($cancellation);
    }

    public function getIterator(): Traversable
    {
        while (($message = $this->session->take(null)) !== null) {
            yield $message;
        }
    }

    public function getId(): int
    {
        return $this->connection->id;
    }

    public function getLocalAddress(): SocketAddress
    {
        return $this->request->getClient()->getLocalAddress();
    }

    public function getRemoteAddress(): SocketAddress
    {
        return $this->request->getClient()->getRemoteAddress();
    }

    public function getTlsInfo(): ?object
    {
        return null;
    }

    public function getCloseInfo(): WebsocketCloseInfo
    {
        return $this->closeInfo ?? throw new Error('The client is not closed; see isClosed()');
    }

    public function isCompressionEnabled(): bool
    {
        return $this->connection->isCompressed;
    }

    /**
     * @param bool|null $compress that it is compressed, or not, where the factory's settings would choose otherwise; without
     *                            compression on the connection it says nothing
     */
    public function sendText(string $data, ?bool $compress = null): void
    {
        $this->send($compress === null ? Abi::OP_SEND_TEXT : Outgoing::compressed(Abi::OP_SEND_TEXT, $compress), $data);
    }

    /** @param bool|null $compress as for sendText() */
    public function sendBinary(string $data, ?bool $compress = null): void
    {
        $this->send($compress === null ? Abi::OP_SEND_BINARY : Outgoing::compressed(Abi::OP_SEND_BINARY, $compress), $data);
    }

    /** @param bool|null $compress as for sendText() */
    public function streamText(ReadableStream|AmpReadableStream|iterable $stream, ?bool $compress = null): void
    {
        $this->stream(Outgoing::compressed(Abi::OP_BEGIN_TEXT, $compress), $stream);
    }

    /** @param bool|null $compress as for sendText() */
    public function streamBinary(ReadableStream|AmpReadableStream|iterable $stream, ?bool $compress = null): void
    {
        $this->stream(Outgoing::compressed(Abi::OP_BEGIN_BINARY, $compress), $stream);
    }

    public function ping(): void
    {
        if (!$this->isClosed()) {
            $this->client->ping($this->session->nextPing());
        }
    }

    /**
     * Pings the client, and waits for its answer.
     *
     * @return float how long that took, in seconds
     * @throws WebsocketClosedException when it closes instead
     * @throws CancelledException
     */
    public function measureRoundTrip(Cancellation|AmpCancellation|null $cancellation = null): float
    {
        if (!$this->isClosed()) {
            $ticket = $this->session->nextPing();
            $this->client->ping($ticket);
            if ($this->session->waitForPong($ticket, $cancellation)) {
                return $this->info()->roundTripNs / 1e9;
            }
        }
        throw $this->closed();
    }

    public function getCount(WebsocketCount $type): int
    {
        $info = $this->info();
        return match ($type) {
            WebsocketCount::BytesReceived => $info->bytesIn,
            WebsocketCount::BytesSent => $info->bytesOut,
            WebsocketCount::FramesReceived => $info->framesIn,
            WebsocketCount::FramesSent => $info->framesOut,
            WebsocketCount::MessagesReceived => $info->messagesIn,
            WebsocketCount::MessagesSent => $info->messagesOut,
            WebsocketCount::PingsReceived => $info->pingsIn,
            WebsocketCount::PingsSent => $info->pingsOut,
            WebsocketCount::PongsReceived => $info->pongsIn,
            WebsocketCount::PongsSent => $info->pongsOut,
            WebsocketCount::UnansweredPings => $info->unansweredPings,
        };
    }

    public function getTimestamp(WebsocketTimestamp $type): float
    {
        $info = $this->info();
        $nanoseconds = match ($type) {
            WebsocketTimestamp::Connected => $info->connectedNs,
            WebsocketTimestamp::Closed => $info->closedNs,
            WebsocketTimestamp::LastRead => $info->lastReadNs,
            WebsocketTimestamp::LastSend => $info->lastSendNs,
            WebsocketTimestamp::LastDataRead => $info->lastDataReadNs,
            WebsocketTimestamp::LastDataSend => $info->lastDataSendNs,
            WebsocketTimestamp::LastHeartbeat => $info->lastHeartbeatNs,
        };
        return $nanoseconds === 0 ? NAN : $nanoseconds / 1e9;
    }

    public function isClosed(): bool
    {
        return $this->closeInfo !== null;
    }

    public function close(int $code = WebsocketCloseCode::NORMAL_CLOSE, string $reason = ''): void
    {
        if ($this->closeInfo !== null) {
            return;
        }
        $this->client->close($code, $reason);
        $this->closeInfo = new WebsocketCloseInfo($code, $reason, microtime(true), false);
        $this->session->end($this->closeInfo);
    }

    public function onClose(Closure $onClose): void
    {
        if ($this->final === null) {
            $this->onClose[] = $onClose;
        } else {
            $this->tell($onClose);
        }
    }

    /**
     * @internal as onClose(), but called at once, and must not wait
     * @param Closure(int): void $onEnd
     */
    public function onEnd(Closure $onEnd): void
    {
        if ($this->final === null) {
            $this->onEnd[] = $onEnd;
        } else {
            $onEnd($this->connection->id);
        }
    }

    /** @internal the library has told that it is closed */
    public function ended(CloseInfo $info): void
    {
        $this->final = $info->client;
        $this->closeInfo = new WebsocketCloseInfo(
            $info->code,
            $info->reason,
            $info->client->closedNs / 1e9,
            $info->cause === CloseCause::Peer || $info->cause === CloseCause::Lost,
            $info->cause,
            $info->clean,
        );
        $this->session->end($this->closeInfo);
        [$onEnd, $this->onEnd] = [$this->onEnd, []];
        foreach ($onEnd as $callback) {
            $callback($this->connection->id);
        }
        [$onClose, $this->onClose] = [$this->onClose, []];
        array_walk($onClose, $this->tell(...));
    }

    /** Counters and times, as they are or were. */
    private function info(): ClientInfo
    {
        if ($this->final !== null) {
            return $this->final;
        }
        $this->latest = $this->outgoing->info($this->connection) ?? $this->latest;
        return $this->latest ?? new ClientInfo(...array_fill(0, 21, 0));
    }

    private function waitUntilOpen(): void
    {
        // A client that is gone is told to be closed soon.
        while (in_array($this->connection->state, [Connection::FULL, Connection::GONE], true)) {
            $this->session->waitForRoom();
        }
        if ($this->connection->state === Connection::CLOSED) {
            throw $this->closed();
        }
    }

    private function send(int $op, string $data): void
    {
        // The library lets messages wait for the stream that is open, but knows of no stream that waits for it.
        if ($this->streams?->areWaitedFor()) {
            $this->streams->take();
            $this->streams->pass();
        }
        $this->sendNext($op, $data);
    }

    private function sendNext(int $op, string $data): void
    {
        if ($this->connection->state !== Connection::OPEN) {
            $this->waitUntilOpen();
        }
        $this->outgoing->message($op, $this->connection, $data);
        $this->letOthersRun(strlen($data));
    }

    /** @param ReadableStream|AmpReadableStream|iterable<string> $stream */
    private function stream(int $begin, ReadableStream|AmpReadableStream|iterable $stream): void
    {
        $this->streams ??= new Turns();
        $this->streams->take();
        try {
            $this->sendNext($begin, '');
            try {
                foreach (self::chunks($stream) as $chunk) {
                    if ($chunk !== '') {
                        $this->sendNext(Abi::OP_CHUNK, $chunk);
                    }
                }
            } catch (Throwable $e) {
                // Half a message cannot be taken back.
                $this->close(WebsocketCloseCode::UNEXPECTED_SERVER_ERROR, 'Error while reading message data');
                throw $e;
            }
            $this->sendNext(Abi::OP_END, '');
        } finally {
            $this->streams->pass();
        }
    }

    /** A handler that sends and sends, to a client that takes all of it, would never wait for anything. */
    private function letOthersRun(int $bytes): void
    {
        $this->sent += $bytes;
        if ($this->sent > self::SENT_AT_ONCE) {
            $this->sent = 0;
            delay(0);
        }
    }

    private function closed(): WebsocketClosedException
    {
        return new WebsocketClosedException(
            'The client is closed',
            $this->closeInfo?->getCode() ?? WebsocketCloseCode::ABNORMAL_CLOSE,
            $this->closeInfo?->getReason() ?? '',
        );
    }

    /**
     * @param ReadableStream|AmpReadableStream|iterable<string> $stream
     * @return iterable<string>
     */
    private static function chunks(ReadableStream|AmpReadableStream|iterable $stream): iterable
    {
        if (is_iterable($stream)) {
            yield from $stream;
        } else {
            while (($chunk = $stream->read()) !== null) {
                yield $chunk;
            }
        }
    }

    /** @param Closure(int, WebsocketCloseInfo): void $onClose */
    private function tell(Closure $onClose): void
    {
        FiberPool::soon(function () use ($onClose): void {
            try {
                $onClose($this->connection->id, $this->closeInfo);
            } catch (Throwable $e) {
                $this->logger->error('Unexpected ' . $e::class . ' thrown from an onClose callback.', ['exception' => $e]);
            }
        });
    }
}
