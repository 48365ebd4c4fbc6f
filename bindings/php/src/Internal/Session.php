<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Amp\Cancellation as AmpCancellation;
use Error;
use Fiber;
use Throwable;
use WeakReference;
use Wsgate\Cancellation;
use Wsgate\EndpointOptions;
use Wsgate\WebsocketCloseInfo;
use Wsgate\WebsocketMessage;

/**
 * A client's messages between the pump, which brings them, and the fiber that receives them.
 *
 * @internal
 */
final class Session implements Task
{
    /** @var array<int, WebsocketMessage> */
    private array $messages = [];

    /** The first one's key. */
    private int $next = 0;

    /** @var WeakReference<StreamedPayload>|null the message that is arriving; the program may have dropped it */
    private ?WeakReference $arriving = null;

    /** Who waits for a message. */
    private Fiber|Suspension|null $waiting = null;

    private bool $ready = false;

    /** What was received and is not granted yet. */
    private int $bytes = 0;
    private int $count = 0;

    private readonly int $grantCount;
    private readonly int $grantBytes;

    private bool $ended = false;

    private ?Throwable $cancelled = null;

    /** @var array<int, Suspension> who waits for the answer to a ping, by its ticket */
    private array $pings = [];

    private int $lastPing = 0;

    /** @var list<Suspension> who waits for room in the outbox */
    private array $senders = [];

    /** @param EndpointOptions $options whose window is granted anew in quarters: it never closes for that */
    public function __construct(
        private readonly Connection $connection,
        private readonly Outgoing $outgoing,
        EndpointOptions $options,
    ) {
        $this->grantCount = max(1, min(0x4000, $options->windowMessages >> 2));
        $this->grantBytes = max(1, $options->windowBytes >> 2);
    }

    public function put(string $data, bool $binary): void
    {
        $this->messages[] = new WebsocketMessage($data, $binary);
        if ($this->waiting !== null && !$this->ready) {
            $this->ready = true;
            Tasks::add($this);
        }
    }

    /** A message begins that comes in chunks. */
    public function begin(int $number, bool $binary): void
    {
        $payload = new StreamedPayload($this, $number);
        $this->arriving = WeakReference::create($payload);
        $this->messages[] = new WebsocketMessage($payload, $binary);
        $this->wakeReceiver();
    }

    public function chunk(string $data): void
    {
        $payload = $this->arriving?->get();
        if ($payload === null) {
            $this->consumed(strlen($data), 0);
        } else {
            $payload->put($data);
        }
    }

    /** The message that came in chunks has arrived. */
    public function endMessage(): void
    {
        $payload = $this->arriving?->get();
        $this->arriving = null;
        $payload?->end();
        // One that was not received yet counts when it is.
        if ($payload === null || $payload->isTaken) {
            $this->consumed(0, 1);
        }
    }

    /** So much of what the client said has been dealt with. */
    public function consumed(int $bytes, int $count): void
    {
        $this->bytes += $bytes;
        $this->count += $count;
        if ($this->count >= $this->grantCount || $this->bytes >= $this->grantBytes) {
            $this->outgoing->grant($this->connection, $this->bytes, $this->count);
            $this->count = $this->bytes = 0;
        }
    }

    /** The rest of a message is not wanted. */
    public function discard(int $number): void
    {
        if ($this->connection->state !== Connection::CLOSED) {
            $this->outgoing->discard($this->connection, $number);
        }
    }

    public function take(Cancellation|AmpCancellation|null $cancellation): ?WebsocketMessage
    {
        if (!isset($this->messages[$this->next])) {
            if ($this->ended) {
                return null;
            }
            $this->arriving?->get()?->absorb();
            $this->wait($cancellation);
        }
        $message = $this->messages[$this->next] ?? null;
        if ($message === null) {
            return null;
        }
        unset($this->messages[$this->next]);
        $this->next++;
        if ($message->stream === null) {
            $this->consumed($message->length(), 1);
        } else {
            $message->stream->isTaken = true;
            $this->consumed(0, $message->stream->hasEnded() ? 1 : 0);
        }
        if ($this->messages === []) {
            // Keys that begin anew keep the array a packed one.
            $this->messages = [];
            $this->next = 0;
        }
        return $message;
    }

    /** No more messages come; those that are there can be received. */
    public function end(WebsocketCloseInfo $info): void
    {
        $this->ended = true;
        $this->arriving?->get()?->cut($info);
        $this->arriving = null;
        $this->wakeReceiver();
        $this->wakeSenders();
        [$pings, $this->pings] = [$this->pings, []];
        foreach ($pings as $ping) {
            $ping->resume(false);
        }
    }

    /** A number for a ping. */
    public function nextPing(): int
    {
        return ++$this->lastPing;
    }

    /**
     * Waits for the answer to a ping that was sent.
     *
     * @return bool false: the client has closed
     */
    public function waitForPong(int $ticket, Cancellation|AmpCancellation|null $cancellation): bool
    {
        $this->pings[$ticket] = $suspension = new Suspension();
        $id = $cancellation?->subscribe($suspension->throw(...));
        try {
            return $suspension->suspend();
        } finally {
            unset($this->pings[$ticket]);
            if ($id !== null) {
                $cancellation->unsubscribe($id);
            }
        }
    }

    public function pong(int $ticket): void
    {
        ($this->pings[$ticket] ?? null)?->resume(true);
    }

    /** Waits until the outbox may have room, or the client has closed. */
    public function waitForRoom(): void
    {
        $this->senders[] = $suspension = new Suspension();
        $suspension->suspend();
    }

    public function wakeSenders(): void
    {
        [$senders, $this->senders] = [$this->senders, []];
        foreach ($senders as $sender) {
            $sender->resume();
        }
    }

    public function run(): void
    {
        $this->ready = false;
        [$waiting, $this->waiting] = [$this->waiting, null];
        if ($waiting instanceof Suspension || $waiting?->isSuspended()) {
            $waiting->resume();
        }
    }

    private function wait(Cancellation|AmpCancellation|null $cancellation): void
    {
        if ($this->waiting !== null) {
            throw new Error('Another fiber waits for a message of this client');
        }
        $fiber = Fiber::getCurrent();
        if ($fiber === null || Tasks::isInPump($fiber)) {
            $fiber = new Suspension();
        }
        $id = $cancellation?->subscribe($this->cancel(...));
        if ($this->cancelled === null) {
            $this->waiting = $fiber;
            try {
                $fiber instanceof Suspension ? $fiber->suspend() : Fiber::suspend();
            } finally {
                $this->waiting = null;
            }
        }
        if ($cancellation !== null) {
            $cancellation->unsubscribe($id);
            [$cancelled, $this->cancelled] = [$this->cancelled, null];
            if ($cancelled !== null && !isset($this->messages[$this->next])) {
                throw $cancelled;
            }
        }
    }

    private function cancel(Throwable $e): void
    {
        $this->cancelled = $e;
        $this->wakeReceiver();
    }

    private function wakeReceiver(): void
    {
        if ($this->waiting !== null && !$this->ready) {
            $this->ready = true;
            Tasks::add($this);
        }
    }
}
