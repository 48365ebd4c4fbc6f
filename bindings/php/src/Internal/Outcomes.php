<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use Throwable;
use Wsgate\Outcome;
use Wsgate\Status;

/**
 * The outcomes that are waited for. Each comes once: from the library, or because it did not take the call.
 *
 * @internal
 */
final class Outcomes
{
    /** The words of a wsgate_outcome: gateway, delivered, failed. */
    private const HEAD = 24;

    /** @var array<int, Closure(Outcome): void> by ticket */
    private array $pending = [];

    private int $last = 0;

    public function __construct(private readonly Log $log)
    {
    }

    /**
     * @param Closure(Outcome): void $callback
     * @return int the ticket to send with
     */
    public function expect(Closure $callback): int
    {
        $this->pending[++$this->last] = $callback;
        return $this->last;
    }

    /** @param string $data a wsgate_outcome, and the ids of those that failed */
    public function settle(int $ticket, string $data, bool $truncated): void
    {
        [2 => $delivered, 3 => $failed] = unpack('P3', $data);
        $ids = strlen($data) > self::HEAD ? array_values(unpack('P*', $data, self::HEAD)) : [];
        $this->tell($ticket, new Outcome($delivered, $failed, $ids, $truncated));
    }

    /** @param array<int> $tickets of calls that the library did not take */
    public function refuse(array $tickets, Status $status): void
    {
        foreach ($tickets as $ticket) {
            $this->tell($ticket, new Outcome(0, 0, [], false, $status));
        }
    }

    /** The server has ended: nothing more comes. */
    public function end(): void
    {
        $this->refuse(array_keys($this->pending), Status::Closed);
    }

    private function tell(int $ticket, Outcome $outcome): void
    {
        $callback = $this->pending[$ticket] ?? null;
        unset($this->pending[$ticket]);
        if ($callback === null) {
            return;
        }
        try {
            $callback($outcome);
        } catch (Throwable $e) {
            // Whoever sends, or frees the server, has nothing to do with it.
            $this->log->uncaught($e, 'an outcome\'s closure');
        }
    }
}
