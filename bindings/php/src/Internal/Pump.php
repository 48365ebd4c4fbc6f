<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use FFI;
use FFI\CData;
use Fiber;
use Throwable;
use Wsgate\Client;
use Wsgate\ClientInfo;
use Wsgate\CloseCause;
use Wsgate\CloseInfo;
use Wsgate\Exchange;
use Wsgate\Handshake;
use Wsgate\LogLevel;
use Wsgate\Status;
use Wsgate\WsgateException;

use function substr;

/**
 * Takes batches of events and calls the application's closures, on the application's own thread.
 *
 * This loop is the price of PHP: what it does per message is counted in nanoseconds. Events are read as
 * 64-bit words through one pointer (fields of structs cost up to half more, unpack() three times as much and
 * more), all payloads come over in one string, and what the closures send leaves in one call.
 *
 * @internal
 */
final class Pump
{
    /** A wsgate_batch as 64-bit words. */
    private const EVENTS = 0;
    private const EVENT_SIZE = 1;
    private const PAYLOAD = 3;
    private const PAYLOAD_LENGTH = 4;

    /** A wsgate_event as 64-bit words. Of two fields in one word the first is the low half. */
    private const KIND_AND_FLAGS = 0;
    private const CLIENT = 1;
    private const DATA = 3;
    private const LENGTH = 4;
    private const CODE_AND_ENDPOINT = 5;
    private const VALUE = 6;

    /** Literals again: a constant of another class is looked up each time. */
    private const MESSAGE = 4;
    private const BINARY = 1 << 32;
    private const LOW = 0xffffffff;

    private readonly FFI $ffi;

    /** The batch's header as words, and as pointers to words and to bytes. */
    private readonly CData $header;
    private readonly CData $wordPointers;
    private readonly CData $bytePointers;

    /** @var array<int, Connection> by id */
    private array $connections = [];

    /** @var array<int, Handlers> by the endpoint's number */
    private array $handlers = [];

    /** @var Closure(Exchange): void|null answers requests that are no handshakes */
    public ?Closure $request = null;

    /** @var Closure(Exchange): void|null shapes the library's refusals */
    public ?Closure $refusal = null;

    private bool $delivering = false;

    private bool $stopped = false;

    public function __construct(
        private readonly Engine $engine,
        private readonly Outgoing $outgoing,
        private readonly Log $log,
    ) {
        $this->ffi = $engine->ffi;
        $this->header = $this->ffi->cast('uint64_t *', $engine->batch);
        $this->wordPointers = $this->ffi->cast('uint64_t **', $engine->batch);
        $this->bytePointers = $this->ffi->cast('char **', $engine->batch);
    }

    /** @return array<string, mixed> without pointers; see Engine */
    public function __debugInfo(): array
    {
        return ['connections' => array_keys($this->connections), 'isDelivering' => $this->delivering];
    }

    public function isDelivering(): bool
    {
        return $this->delivering;
    }

    public function attach(int $endpoint, Handlers $handlers): void
    {
        $this->handlers[$endpoint] = $handlers;
    }

    /**
     * Takes what waits, or waits up to this long for something; a signal ends the wait.
     *
     * @param int $timeoutMs 0: does not wait
     * @return bool false once the server has stopped
     */
    public function turn(int $timeoutMs): bool
    {
        if ($this->delivering) {
            throw new WsgateException(Status::Reentrant, 'run() and tick() cannot be called in a callback');
        }
        $server = $this->engine->server;
        if ($server === null) {
            return false;
        }
        $count = $this->ffi->wsgate_server_take($server, $this->engine->batch, 0, $timeoutMs);
        if ($count > 0) {
            $this->delivering = true;
            $this->outgoing->cork();
            $outer = Tasks::$deliveringIn;
            Tasks::$deliveringIn = Fiber::getCurrent();
            try {
                $this->deliver($count);
                if (Tasks::$ready !== []) {
                    Tasks::run();
                }
            } finally {
                Tasks::$deliveringIn = $outer;
                $this->delivering = false;
                $failures = $this->outgoing->uncork();
            }
            foreach ($failures as [$connection, $failure]) {
                $this->failed($connection, $failure);
            }
            return !$this->stopped;
        }
        if ($count === 0) {
            return true;
        }
        if ($count === Status::Closed->value) {
            return false;
        }
        throw Engine::exception($count);
    }

    private function deliver(int $count): void
    {
        $words = $this->wordPointers[self::EVENTS];
        $header = $this->header;
        $stride = $header[self::EVENT_SIZE] >> 3;
        $base = $header[self::PAYLOAD];
        $length = $header[self::PAYLOAD_LENGTH];
        $payload = $length > 0 ? FFI::string($this->bytePointers[self::PAYLOAD], $length) : '';

        for ($at = 0, $end = $count * $stride; $at < $end; $at += $stride) {
            $head = $words[$at + self::KIND_AND_FLAGS];
            $id = $words[$at + self::CLIENT];
            $connection = $this->connections[$id] ?? null;
            try {
                $data = substr($payload, $words[$at + self::DATA] - $base, $words[$at + self::LENGTH]);
                if (($head & self::LOW) !== self::MESSAGE) {
                    $this->event(
                        $head,
                        $id,
                        $connection,
                        $data,
                        $words[$at + self::CODE_AND_ENDPOINT],
                        $words[$at + self::VALUE],
                    );
                } elseif ($connection !== null && $connection->state !== Connection::CLOSED) {
                    ($connection->handlers->message)($connection->client, $data, ($head & self::BINARY) !== 0);
                }
            } catch (Throwable $e) {
                $this->failed($connection ?? $this->connections[$id] ?? null, $e);
            }
        }
    }

    /** Everything but messages. */
    private function event(
        int $head,
        int $id,
        ?Connection $connection,
        string $data,
        int $codeAndEndpoint,
        int $value,
    ): void {
        $code = $codeAndEndpoint & 0xffffffff;
        switch ($head & self::LOW) {
            case Abi::EVENT_OUTCOME:
                $this->outgoing->outcomes->settle($value, $data, ($head & (Abi::FLAG_TRUNCATED << 32)) !== 0);
                break;
            case Abi::EVENT_HANDSHAKE:
                $this->handshake($this->handlers[$codeAndEndpoint >> 32], $id, $data);
                break;
            case Abi::EVENT_HANDSHAKE_GONE:
                $gone = $this->handlers[$codeAndEndpoint >> 32]->gone;
                if ($gone !== null) {
                    $gone($id, $code);
                }
                break;
            case Abi::EVENT_REQUEST:
                $refused = ($head & (Abi::FLAG_REFUSED << 32)) !== 0;
                $this->request($id, $data, $refused ? $code : null);
                break;
            case Abi::EVENT_ACCEPT:
                $connection = new Connection($id, $this->handlers[$codeAndEndpoint >> 32], $data);
                $connection->isCompressed = ($head & (Abi::FLAG_COMPRESSED << 32)) !== 0;
                $connection->client = new Client($connection, $this->outgoing);
                $this->connections[$id] = $connection;
                ($connection->handlers->accept)($connection->client);
                break;
            case Abi::EVENT_CLOSE:
                if ($connection !== null) {
                    $this->closed($connection, $code, ($head & (Abi::FLAG_CLEAN << 32)) !== 0, $value, $data);
                }
                break;
            case Abi::EVENT_BEGIN:
                if ($connection !== null && $connection->state !== Connection::CLOSED) {
                    ($connection->handlers->begin)($connection->client, $value, ($head & self::BINARY) !== 0);
                }
                break;
            case Abi::EVENT_CHUNK:
                if ($connection !== null && $connection->state !== Connection::CLOSED) {
                    ($connection->handlers->chunk)($connection->client, $data);
                }
                break;
            case Abi::EVENT_END:
                if ($connection !== null && $connection->state !== Connection::CLOSED) {
                    ($connection->handlers->end)($connection->client);
                }
                break;
            case Abi::EVENT_PONG:
                if ($connection !== null && $connection->state !== Connection::CLOSED) {
                    ($connection->handlers->pong)($connection->client, $value);
                }
                break;
            case Abi::EVENT_DRAIN:
                if ($connection?->state === Connection::FULL && $this->outgoing->resume($connection)) {
                    ($connection->handlers->drain)($connection->client);
                }
                break;
            case Abi::EVENT_LOG:
                [$target, $message] = explode(': ', $data, 2) + [1 => ''];
                $this->log->write(LogLevel::from($code), $target, $message);
                break;
            case Abi::EVENT_STOPPED:
                $this->stopped = true;
                break;
        }
    }

    private function handshake(Handlers $handlers, int $id, string $data): void
    {
        $handshake = new Handshake($id, $data, $this->outgoing);
        try {
            ($handlers->handshake)($handshake);
        } catch (Throwable $e) {
            $this->log->uncaught($e, 'onHandshake');
            $handshake->reject(500, ['content-type' => 'text/plain'], 'Internal Server Error');
        }
    }

    private function request(int $id, string $data, ?int $refusal): void
    {
        $exchange = new Exchange($id, $data, $refusal, $this->outgoing);
        try {
            ($refusal === null ? $this->request : $this->refusal)($exchange);
        } catch (Throwable $e) {
            $this->log->uncaught($e, 'onRequest');
            $exchange->respond(500, ['content-type' => 'text/plain'], 'Internal Server Error');
        }
    }

    private function closed(Connection $connection, int $code, bool $clean, int $cause, string $data): void
    {
        unset($this->connections[$connection->id]);
        $connection->closed();
        [$client, $connection->client] = [$connection->client, null];
        // The info's first word is its size; the reason begins behind it.
        $reason = substr($data, unpack('P', $data)[1]);
        $info = new CloseInfo($code, $reason, CloseCause::from($cause), $clean, ClientInfo::decode($data));
        if ($connection->ended !== null) {
            [$ended, $connection->ended] = [$connection->ended, null];
            $ended($info);
        }
        ($connection->handlers->close)($client, $info);
    }

    /** A callback threw, or the library refused what it had sent: said in the log, and that client is closed. */
    private function failed(?Connection $connection, Throwable $e): void
    {
        $this->log->uncaught($e, 'a callback');
        try {
            $connection?->client?->close(1011, 'Internal server error');
        } catch (WsgateException) {
            // It is closed already, or the whole server is: then the pump's next call says so.
        }
    }
}
