<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use Wsgate\Client;
use Wsgate\CloseInfo;
use Wsgate\Request;

/**
 * What the pump, the outgoing records and a Client share of one client.
 *
 * @internal
 */
final class Connection
{
    public const OPEN = 0;
    /** The library refused a message with FULL, and DRAIN has not come yet. */
    public const FULL = 1;
    /** The program closed it, or was told that it is closed. */
    public const CLOSED = 2;
    /** The library said so; the program has not been told yet. What is sent is dropped. */
    public const GONE = 3;

    public int $state = self::OPEN;

    /** The id as a record carries it. */
    public readonly string $target;

    /** Records that were refused with FULL; they go out at DRAIN. */
    public string $held = '';

    public int $heldCount = 0;

    /** What the application sees; null once CLOSE was delivered, which also breaks the cycle. */
    public ?Client $client = null;

    public bool $isCompressed = false;

    /** @var Closure(CloseInfo): void|null is told of the end, before onClose */
    public ?Closure $ended = null;

    public function __construct(
        public readonly int $id,
        public readonly Handlers $handlers,
        public string|Request $request,
    ) {
        $this->target = pack('P', $id);
    }

    /** Keeps a refused record for DRAIN. */
    public function hold(string $record): void
    {
        $this->state = self::FULL;
        $this->held .= $record;
        $this->heldCount++;
    }

    public function gone(): void
    {
        if ($this->state !== self::CLOSED) {
            $this->state = self::GONE;
        }
    }

    public function closed(): void
    {
        $this->state = self::CLOSED;
        $this->held = '';
        $this->heldCount = 0;
    }
}
