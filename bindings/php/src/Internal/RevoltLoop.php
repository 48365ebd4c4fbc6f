<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Closure;
use Revolt\EventLoop;
use Revolt\EventLoop\Suspension as RevoltSuspension;
use RuntimeException;
use Throwable;
use Wsgate\Server;

/**
 * Revolt's event loop, which amphp's libraries run in.
 *
 * @internal
 */
final class RevoltLoop extends Loop
{
    private bool $kicked = false;

    private ?RevoltSuspension $main = null;

    public function add(Server $server): void
    {
        $descriptor = $server->getDescriptor();
        // A copy of the descriptor, so that closing the stream leaves the library's own open.
        $stream = @fopen("php://fd/$descriptor", 'r');
        if ($stream === false) {
            throw new RuntimeException('Revolt needs php://fd to watch the server, and only the CLI has that');
        }
        EventLoop::onReadable($stream, static function (string $id) use ($server, $stream): void {
            if ($server->isDelivering()) {
                return;
            }
            try {
                $runs = $server->turn(0);
            } catch (Throwable $e) {
                $runs = false;
                $server->fail($e);
            }
            if (!$runs) {
                EventLoop::cancel($id);
                fclose($stream);
            }
        });
    }

    public function kick(): void
    {
        if (!$this->kicked) {
            $this->kicked = true;
            EventLoop::queue(function (): void {
                $this->kicked = false;
                Tasks::run();
            });
        }
    }

    public function await(Suspension $suspension): void
    {
        $this->main = EventLoop::getSuspension();
        $this->main->suspend();
    }

    public function awaken(): void
    {
        [$main, $this->main] = [$this->main, null];
        $main?->resume();
    }

    public function delay(float $seconds, Closure $callback): string
    {
        return EventLoop::delay($seconds, static function () use ($callback): void {
            $callback();
        });
    }

    public function onSignal(int $signal, Closure $callback): string
    {
        return EventLoop::onSignal($signal, static function (string $id, int $signal) use ($callback): void {
            $callback($signal);
        });
    }

    public function cancel(string $id): void
    {
        EventLoop::cancel($id);
    }

    public function fail(Throwable $e): void
    {
        EventLoop::queue(static function () use ($e): void {
            throw $e;
        });
    }
}
