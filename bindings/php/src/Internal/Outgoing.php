<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use FFI;
use FFI\CData;
use Wsgate\Status;
use Wsgate\WsgateException;

use function count;
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

    /** @var list<Connection|null> who each record goes to; null for a gateway */
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

    public function __construct(private readonly Engine $engine)
    {
        $this->ffi = $engine->ffi;
        $this->reserve(1024);
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
            $this->flush();
        } finally {
            $this->limit = 0;
        }
        $failures = $this->failures;
        $this->failures = [];
        return $failures;
    }

    /** A message to one client. */
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
     * A message to the members of a gateway.
     *
     * @param list<int> $except ids of clients that are left out
     */
    public function broadcast(int $op, int $gateway, string $data, array $except): void
    {
        $length = strlen($data);
        $ids = count($except);
        $this->records .= self::head($op, $length + 8 * $ids) . pack('P', $gateway) . self::tail($ids, $length)
            . ($ids > 0 ? pack('P*', ...$except) : '') . $data . self::PADDING[$length & 7];
        $this->targets[] = null;
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
            if ($applied === Status::Closed->value) {
                return;
            }
            throw $this->engine->exception($applied);
        }
        $this->settle($records, $targets);
    }

    /**
     * Looks after the records that were refused.
     *
     * @param list<Connection|null> $targets
     */
    private function settle(string $records, array $targets): void
    {
        $offset = 0;
        foreach ($targets as $i => $connection) {
            $size = unpack('V', $records, $offset + 4)[1];
            $status = $this->statuses[$i];
            if ($status === Status::Full->value && $connection !== null) {
                $connection->hold(substr($records, $offset, $size));
            } elseif ($status === Status::Invalid->value) {
                // The only thing that can be wrong with a message, and statuses come without a text.
                $this->failures[] = [
                    $connection,
                    new WsgateException(Status::Invalid, 'a text message must be UTF-8'),
                ];
            }
            $offset += $size;
        }
        if ($this->limit === 0 && $this->failures !== []) {
            throw array_shift($this->failures)[1];
        }
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
        } elseif ($op === Abi::OP_SEND_TEXT) {
            $status = $this->ffi->wsgate_client_send_text($this->engine->server, $connection->id, $data, $length);
        } else {
            $status = $this->ffi->wsgate_client_send_binary($this->engine->server, $connection->id, $data, $length);
        }
        if ($status === Status::Full->value) {
            $padding = self::PADDING[$length & 7];
            $connection->hold(
                self::head($op, $length) . $connection->target . self::tail(0, $length) . $data . $padding,
            );
        } elseif ($status < 0 && $status !== Status::Closed->value) {
            throw $this->engine->exception($status);
        }
    }

    private function reserve(int $count): void
    {
        $this->capacity = $count;
        $this->statuses = $this->ffi->new("int32_t[$count]");
    }

    /** The first word of a record: op, no flags, and the size of the whole. */
    private static function head(int $op, int $length): string
    {
        return pack('P', $op | (Abi::RECORD_SIZE + $length + 7 & ~7) << 32);
    }

    /** The words behind the target: no ticket, the number of ids, and the payload's length. */
    private static function tail(int $ids, int $length): string
    {
        return pack('P2', 0, $ids | $length << 32);
    }
}
