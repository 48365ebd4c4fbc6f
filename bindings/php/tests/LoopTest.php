<?php

declare(strict_types=1);

namespace Wsgate\Tests;

use DomainException;
use Error;
use PHPUnit\Framework\TestCase;
use Wsgate\CancelledException;
use Wsgate\DeferredCancellation;
use Wsgate\Future;
use Wsgate\TimeoutCancellation;

use function Wsgate\async;
use function Wsgate\delay;
use function Wsgate\trapSignal;

/** The package's own loop: fibers, timers, signals, futures. */
final class LoopTest extends TestCase
{
    public function testFibersRunWhileOthersWait(): void
    {
        $said = [];
        $slow = async(static function () use (&$said): int {
            $said[] = 'slow begins';
            delay(0.02);
            $said[] = 'slow ends';
            return 1;
        });
        $fast = async(static function (int $value) use (&$said): int {
            delay(0.001);
            $said[] = 'fast ends';
            return $value;
        }, 2);
        self::assertSame([1, 2], [$slow->await(), $fast->await()]);
        self::assertSame(['slow begins', 'fast ends', 'slow ends'], $said);
    }

    public function testTimersComeInTheirOrder(): void
    {
        $said = [];
        $futures = [];
        foreach ([0.03, 0.0, 0.02, 0.01] as $seconds) {
            $futures[] = async(static function () use ($seconds, &$said): void {
                delay($seconds);
                $said[] = $seconds;
            });
        }
        foreach ($futures as $future) {
            $future->await();
        }
        self::assertSame([0.0, 0.01, 0.02, 0.03], $said);
    }

    public function testAnErrorIsThrownWhereItIsAwaited(): void
    {
        $future = async(static fn () => throw new DomainException('x'));
        $this->expectException(DomainException::class);
        $future->await();
    }

    public function testAnErrorThatNobodyAwaitsEndsTheWait(): void
    {
        async(static fn () => throw new DomainException('nobody'));
        $this->expectExceptionMessage('nobody');
        delay(1);
    }

    public function testAnIgnoredErrorDoesNot(): void
    {
        async(static fn () => throw new DomainException('nobody'))->ignore();
        delay(0.001);
        $this->addToAssertionCount(1);
    }

    public function testFuturesAreMapped(): void
    {
        self::assertSame(3, Future::complete(2)->map(static fn (int $x) => $x + 1)->await());
        $error = Future::error(new DomainException('x'));
        self::assertSame('x', $error->catch(static fn (DomainException $e) => $e->getMessage())->await());
        $called = 0;
        $future = Future::complete(1)->finally(static function () use (&$called): void {
            $called++;
        });
        self::assertSame([1, 1], [$future->await(), $called]);
        self::assertTrue($future->isComplete());
    }

    public function testAwaitingIsCancelledAndCanBeginAgain(): void
    {
        $future = async(static function (): string {
            delay(0.02);
            return 'late';
        });
        try {
            $future->await(new TimeoutCancellation(0.001));
            self::fail('was not cancelled');
        } catch (CancelledException) {
            self::assertSame('late', $future->await());
        }
        $source = new DeferredCancellation();
        $source->cancel();
        self::assertTrue($source->isCancelled());
        $this->expectException(CancelledException::class);
        delay(60, $source->getCancellation());
    }

    public function testATimeThatIsAgesAwayIsNotNow(): void
    {
        $timeouts = [new TimeoutCancellation(INF), new TimeoutCancellation(1e10)];
        delay(0.001);
        foreach ($timeouts as $timeout) {
            self::assertFalse($timeout->isRequested());
        }
    }

    public function testASignalIsTrappedAndThenAsBefore(): void
    {
        async(static function (): void {
            delay(0.001);
            posix_kill(posix_getpid(), SIGUSR1);
        });
        self::assertSame(SIGUSR1, trapSignal([SIGUSR1, SIGUSR2]));
        self::assertSame(SIG_DFL, pcntl_signal_get_handler(SIGUSR1));
        self::assertSame(SIG_DFL, pcntl_signal_get_handler(SIGUSR2));
    }

    public function testWaitingForNothingIsAnError(): void
    {
        $this->expectException(Error::class);
        $this->expectExceptionMessage('Nothing is left to wait for');
        (new Future(new \Wsgate\Internal\FutureState()))->await();
    }
}
