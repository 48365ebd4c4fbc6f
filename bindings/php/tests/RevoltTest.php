<?php

declare(strict_types=1);

namespace Wsgate\Tests;

/** The same in Revolt's event loop: REVOLT names its sources, and AMP those of amphp/amp, for whoever has them. */
final class RevoltTest extends FiberTestCase
{
    protected function setUp(): void
    {
        if ((string) getenv('REVOLT') === '') {
            self::markTestSkipped('skipped: no Revolt');
        }
    }

    protected function options(): array
    {
        return ['-d', 'auto_prepend_file=' . __DIR__ . '/revolt.php'];
    }

    public function testRunThrowsWhatTheLibraryRefusesAForkedChild(): void
    {
        $server = $this->start([...$this->options(), __DIR__ . '/programs/fork.php']);
        $client = RawClient::connect($server->port());
        $client->sendText('fork');
        self::assertSame('child 7', $client->receiveText());
        self::assertSame(0, $server->stop(), $server->errors());
    }
}
