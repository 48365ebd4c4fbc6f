<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use FFI;
use FFI\CData;
use Wsgate\ClientInfo;
use Wsgate\ClosedException;
use Wsgate\Status;
use Wsgate\WsgateException;

use function count;
use function is_int;
use function strlen;

/**
 * The way from the application to the library: messages become the records of wsgate_submit().
 *
 * While the pump delivers a batch the records gather in one string, and one call takes them all: the
 * library then writes once to each client that was answered. Outside of that each message goes at once.
 *
 * @internal
 */
final class Outgoing
{
    /** A batch's records go early when they have this size, so that the library writes while we read on. */
    private const FLUSH_SIZE = 262_144;

    /** From this size on a message is handed over by itself: it is copied once less. */
    private const LARGE = 65_536;

    /** The heads of records for messages shorter than this are made once: pack() costs more than the rest. */
    private const CACHED = 1024;

    /** By length modulo 8: what fills up a record. */
    private const PADDING = [
        '', "\0\0\0\0\0\0\0", "\0\0\0\0\0\0", "\0\0\0\0\0", "\0\0\0\0", "\0\0\0", "\0\0", "\0",
    ];

    private readonly FFI $ffi;

    private string $records = '';

    /** @var list<Connection|int|null> who each record goes to; for a gateway the ticket, or null */
    private array $targets = [];

    /** Records go to the library when they have this size; 0: at once. */
    private int $limit = 0;

    /** @var array<int, array<int, string>> op and size, by op and length */
    private array $heads = [];

    /** @var array<int, string> ticket, number of ids, and length, by length */
    private array $tails = [];

    private CData $statuses;

    private int $capacity = 0;

    /** @var list<array{Connection|null, WsgateException}> */
    private array $failures = [];

    public readonly Outcomes $outcomes;

    public function __construct(private readonly Engine $engine, Log $log)
    {
        $this->outcomes = new Outcomes($log);
        $this->ffi = $engine->ffi;
        $this->reserve(1024);
    }

    /** @return array<string, mixed> without pointers; see Engine */
    public function __debugInfo(): array
    {
        return ['waiting' => count($this->targets), 'isCorked' => $this->limit > 0];
    }

    /** From now on records gather until uncork(). */
    public function cork(): void
    {
        $this->limit = self::FLUSH_SIZE;
    }

    /**
     * Sends what has gathered; from now on messages go at once.
     *
     * @return list<array{Connection|null, WsgateException}> what the library refused since cork()
     */
    public function uncork(): array
    {
        try {
            do {
                $this->flush();
                // What was refused may have been answered by closures.
            } while ($this->records !== '');
        } finally {
            $this->limit = 0;
        }
        $failures = $this->failures;
        $this->failures = [];
        return $failures;
    }

    /** An operation with what its call says of compression: a record's flags stand above its op. */
    public static function compressed(int $op, ?bool $compress): int
    {
        return $op | match ($compress) {
            null => 0,
            true => Abi::RECORD_FLAG_COMPRESS_ALWAYS << 16,
            false => Abi::RECORD_FLAG_COMPRESS_NEVER << 16,
        };
    }

    /** A message to one client, or its beginning, a chunk of it, or its end. */
    public function message(int $op, Connection $connection, string $data): void
    {
        $length = strlen($data);
        if ($length < self::CACHED) {
            $head = $this->heads[$op][$length] ??= self::head($op, $length);
            $tail = $this->tails[$length] ??= self::tail(0, $length);
        } elseif ($length < self::LARGE) {
            $head = self::head($op, $length);
            $tail = self::tail(0, $length);
        } else {
            $this->large($op, $connection, $data);
            return;
        }
        $padding = self::PADDING[$length & 7];
        $this->records .= "{$head}{$connection->target}{$tail}{$data}{$padding}";
        $this->targets[] = $connection;
        if (strlen($this->records) >= $this->limit) {
            $this->flush();
        }
    }

    /**
     * A command to a gateway: a broadcast or multicast, with its data, or a change of its members.
     *
     * @param list<int> $ids clients that are left out, chosen, added or removed
     * @param int $ticket of the outcome that is wanted; 0: none
     */
    public function toGateway(int $op, int $gateway, string $data, array $ids, int $ticket = 0): void
    {
        $length = strlen($data);
        $count = count($ids);
        if ($ticket !== 0) {
            $op |= Abi::RECORD_FLAG_OUTCOME << 16;
        }
        $this->records .= self::head($op, $length + 8 * $count) . pack('P', $gateway)
            . self::tail($count, $length, $ticket) . ($count > 0 ? pack('P*', ...$ids) : '') . $data
            . self::PADDING[$length & 7];
        $this->targets[] = $ticket === 0 ? null : $ticket;
        if (strlen($this->records) >= $this->limit) {
            $this->flush();
        }
    }

    /** Sends again what was held back for a client; true when all was taken. */
    public function resume(Connection $connection): bool
    {
        $connection->state = Connection::OPEN;
        if ($connection->heldCount > 0) {
            $this->records .= $connection->held;
            array_push($this->targets, ...array_fill(0, $connection->heldCount, $connection));
            $connection->held = '';
            $connection->heldCount = 0;
            $this->flush();
        }
        return $connection->state === Connection::OPEN;
    }

    /** Lets a client send more: so much of what it said has been dealt with. */
    public function grant(Connection $connection, int $bytes, int $messages): void
    {
        $this->records .= pack('P', Abi::OP_CLIENT_GRANT | $messages << 16 | Abi::RECORD_SIZE << 32)
            . $connection->target . pack('P2', $bytes, 0);
        $this->targets[] = null;
        if (strlen($this->records) >= $this->limit) {
            $this->flush();
        }
    }

    /** The rest of a message that a client is sending is thrown away. */
    public function discard(Connection $connection, int $message): void
    {
        $this->records .= pack('P', Abi::OP_DISCARD | Abi::RECORD_SIZE << 32)
            . $connection->target . pack('P2', $message, 0);
        $this->targets[] = null;
        if (strlen($this->records) >= $this->limit) {
            $this->flush();
        }
    }

    /** A client's counters and times as they are now; null when it is gone. */
    public function info(Connection $connection): ?ClientInfo
    {
        $counters = $this->ffi->new('wsgate_client_counters');
        $size = FFI::sizeof($counters);
        try {
            $this->call('wsgate_client_info', $connection->id, FFI::addr($counters), $size);
        } catch (ClosedException) {
            return null;
        }
        return ClientInfo::decode(FFI::string(FFI::addr($counters), $size));
    }

    /** A new gateway; 0, which reaches nobody, when the server has stopped. */
    public function newGateway(): int
    {
        $id = $this->ffi->new('uint64_t[1]');
        try {
            $this->call('wsgate_gateway_new', $id);
        } catch (ClosedException) {
            return 0;
        }
        return $id[0];
    }

    /** Ends a gateway; its members stay connected. */
    public function freeGateway(int $id): void
    {
        try {
            $this->call('wsgate_gateway_free', $id);
        } catch (WsgateException) {
            // It is gone already, or the server is.
        }
    }

    /** Any other call to the library, in order with the messages. */
    public function call(string $function, mixed ...$arguments): int
    {
        $this->flush();
        return $this->engine->call($function, ...$arguments);
    }

    /** Hands the gathered records to the library. */
    public function flush(): void
    {
        if ($this->records === '') {
            return;
        }
        $records = $this->records;
        $targets = $this->targets;
        $this->records = '';
        $this->targets = [];
        if ($this->engine->server === null) {
            $this->outcomes->refuse(array_filter($targets, is_int(...)), Status::Closed);
            return;
        }
        $count = count($targets);
        if ($count > $this->capacity) {
            $this->reserve($count);
        }
        $applied = $this->ffi->wsgate_submit(
            $this->engine->server,
            $records,
            strlen($records),
            $this->statuses,
            $this->capacity,
        );
        if ($applied === $count) {
            return;
        }
        if ($applied < 0) {
            $this->outcomes->refuse(array_filter($targets, is_int(...)), Status::from($applied));
            if ($applied === Status::Closed->value) {
                return;
            }
            throw Engine::exception($applied);
        }
        $this->settle($records, $targets);
    }

    /**
     * Looks after the records that were refused.
     *
     * @param list<Connection|int|null> $targets
     */
    private function settle(string $records, array $targets): void
    {
        $refused = [];
        $offset = 0;
        foreach ($targets as $i => $connection) {
            $size = unpack('V', $records, $offset + 4)[1];
            $status = $this->statuses[$i];
            if (is_int($connection)) {
                if ($status < 0) {
                    $refused[$status][] = $connection;
                }
            } elseif ($status === Status::Closed->value && $connection !== null) {
                $connection->gone();
            } elseif ($status === Status::Full->value && $connection !== null) {
                $connection->hold(substr($records, $offset, $size));
            } elseif ($status < 0) {
                $op = unpack('v', $records, $offset)[1];
                $this->failures[] = [$connection, self::refusal(Status::from($status), $op)];
            }
            $offset += $size;
        }
        // Last: closures that are told may send, which uses the statuses again.
        foreach ($refused as $status => $tickets) {
            $this->outcomes->refuse($tickets, Status::from($status));
        }
        if ($this->limit === 0 && $this->failures !== []) {
            throw array_shift($this->failures)[1];
        }
    }

    /** What can be wrong with a record that we made: statuses come without a text. */
    private static function refusal(Status $status, int $op): WsgateException
    {
        return new WsgateException($status, match ($op) {
            Abi::OP_BEGIN_TEXT, Abi::OP_BEGIN_BINARY => 'a message to this client is open already',
            Abi::OP_CHUNK, Abi::OP_END => 'no message to this client is open',
            default => match ($status) {
                Status::Invalid => 'a text message must be UTF-8',
                Status::Config => 'a message has at most 1 GiB',
                default => $status->name,
            },
        });
    }

    private function large(int $op, Connection $connection, string $data): void
    {
        $this->flush();
        if ($this->engine->server === null) {
            return;
        }
        $length = strlen($data);
        if ($connection->state === Connection::FULL) {
            $status = Status::Full->value;
        } else {
            $server = $this->engine->server;
            // A record's flags for compression are a call's, too.
            $flags = $op >> 16 | (($op & 0xffff) === Abi::OP_SEND_BINARY ? Abi::SEND_FLAG_BINARY : 0);
            $status = $op === Abi::OP_CHUNK
                ? $this->ffi->wsgate_client_chunk($server, $connection->id, $data, $length)
                : $this->ffi->wsgate_client_send($server, $connection->id, $flags, $data, $length);
        }
        if ($status === Status::Full->value) {
            $padding = self::PADDING[$length & 7];
            $connection->hold(
                self::head($op, $length) . $connection->target . self::tail(0, $length) . $data . $padding,
            );
        } elseif ($status === Status::Closed->value) {
            $connection->gone();
        } elseif ($status < 0) {
            throw Engine::exception($status);
        }
    }

    private function reserve(int $count): void
    {
        $this->capacity = $count;
        $this->statuses = $this->ffi->new("int32_t[$count]");
    }

    /** The first word of a record: op with the flags above it, and the size of the whole. */
    private static function head(int $op, int $length): string
    {
        return pack('P', $op | (Abi::RECORD_SIZE + $length + 7 & ~7) << 32);
    }

    /** The words behind the target: the ticket, the number of ids, and the payload's length. */
    private static function tail(int $ids, int $length, int $ticket = 0): string
    {
        return pack('P2', $ticket, $ids | $length << 32);
    }
}
