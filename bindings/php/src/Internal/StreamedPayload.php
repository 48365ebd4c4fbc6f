<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Amp\Cancellation as AmpCancellation;
use Closure;
use Error;
use Wsgate\BufferException;
use Wsgate\Cancellation;
use Wsgate\WebsocketCloseInfo;
use Wsgate\WebsocketClosedException;

/**
 * A message that is read while it arrives. Nobody but the message holds it, so that a message that the program
 * drops is read no further.
 *
 * @internal
 */
final class StreamedPayload
{
    /** @var list<string> what has arrived and was not read */
    private array $chunks = [];

    /** What buffer() has gathered. */
    private string $gathered = '';

    private bool $hasEnded = false;

    private bool $isClosed = false;

    private ?WebsocketCloseInfo $cutBy = null;

    /** Whether what arrives counts as dealt with before it is read. */
    private bool $absorbs = false;

    private ?Suspension $reader = null;

    /** @var list<Closure(): void> */
    private array $onClose = [];

    /** Whether receive() has given it out. */
    public bool $isTaken = false;

    /** @param int $number of the message, among its client's */
    public function __construct(private readonly Session $session, private readonly int $number)
    {
    }

    public function __destruct()
    {
        $this->close();
    }

    public function put(string $chunk): void
    {
        if ($this->isClosed) {
            $this->session->consumed(strlen($chunk), 0);
            return;
        }
        if ($this->absorbs) {
            $this->session->consumed(strlen($chunk), 0);
        }
        $this->chunks[] = $chunk;
        $this->reader?->resume();
    }

    /** Nothing more comes. */
    public function end(): void
    {
        $this->hasEnded = true;
        $this->reader?->resume();
        $this->callOnClose();
    }

    /** The client has closed in the midst of it. */
    public function cut(WebsocketCloseInfo $info): void
    {
        $this->cutBy = $info;
        $this->end();
    }

    public function hasEnded(): bool
    {
        return $this->hasEnded;
    }

    /** Somebody waits for the next message, so this one must not be held back until it is read. */
    public function absorb(): void
    {
        if (!$this->absorbs) {
            $this->absorbs = true;
            $this->session->consumed($this->waitingBytes(), 0);
        }
    }

    /** The next chunk; null at the end. */
    public function read(Cancellation|AmpCancellation|null $cancellation): ?string
    {
        if ($this->gathered !== '') {
            [$gathered, $this->gathered] = [$this->gathered, ''];
            return $gathered;
        }
        return $this->next($cancellation);
    }

    /** All that has not been read; can be called again. */
    public function buffer(Cancellation|AmpCancellation|null $cancellation, int $limit): string
    {
        while (true) {
            $length = strlen($this->gathered);
            if ($length > $limit) {
                throw new BufferException($this->gathered, "A message of $length bytes or more is over the limit, $limit");
            }
            $chunk = $this->next($cancellation);
            if ($chunk === null) {
                return $this->gathered;
            }
            $this->gathered .= $chunk;
        }
    }

    public function isReadable(): bool
    {
        return !$this->isClosed && (!$this->hasEnded || $this->chunks !== [] || $this->gathered !== '');
    }

    /** The rest is not wanted. */
    public function close(): void
    {
        if ($this->isClosed) {
            return;
        }
        $this->isClosed = true;
        if (!$this->absorbs) {
            $this->session->consumed($this->waitingBytes(), 0);
        }
        $this->chunks = [];
        $this->gathered = '';
        $this->reader?->resume();
        if (!$this->hasEnded) {
            $this->session->discard($this->number);
        }
        $this->callOnClose();
    }

    public function isClosed(): bool
    {
        return $this->isClosed;
    }

    /** @param Closure(): void $onClose called when nothing more arrives */
    public function onClose(Closure $onClose): void
    {
        $this->onClose[] = $onClose;
        if ($this->hasEnded || $this->isClosed) {
            $this->callOnClose();
        }
    }

    private function next(Cancellation|AmpCancellation|null $cancellation): ?string
    {
        if ($this->chunks === [] && !$this->hasEnded && !$this->isClosed) {
            $this->wait($cancellation);
        }
        $chunk = array_shift($this->chunks);
        if ($chunk === null) {
            if ($this->cutBy !== null && !$this->isClosed) {
                throw new WebsocketClosedException(
                    'The client has closed in the midst of a message',
                    $this->cutBy->getCode(),
                    $this->cutBy->getReason(),
                );
            }
        } elseif (!$this->absorbs) {
            $this->session->consumed(strlen($chunk), 0);
        }
        return $chunk;
    }

    private function wait(Cancellation|AmpCancellation|null $cancellation): void
    {
        if ($this->reader !== null) {
            throw new Error('Another fiber reads this message');
        }
        $this->reader = $reader = new Suspension();
        $id = $cancellation?->subscribe($reader->throw(...));
        try {
            $reader->suspend();
        } finally {
            $this->reader = null;
            if ($id !== null) {
                $cancellation->unsubscribe($id);
            }
        }
    }

    private function waitingBytes(): int
    {
        return array_sum(array_map(strlen(...), $this->chunks));
    }

    private function callOnClose(): void
    {
        [$callbacks, $this->onClose] = [$this->onClose, []];
        array_map(FiberPool::soon(...), $callbacks);
    }
}
