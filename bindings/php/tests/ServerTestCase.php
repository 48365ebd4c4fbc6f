<?php

declare(strict_types=1);

namespace Wsgate\Tests;

use PHPUnit\Framework\TestCase;

abstract class ServerTestCase extends TestCase
{
    /** @var list<ServerProcess> */
    private array $servers = [];

    protected function tearDown(): void
    {
        foreach ($this->servers as $server) {
            $server->kill();
        }
        $this->servers = [];
    }

    /** How many messages to send: WSGATE_MESSAGES, where a quick check is not enough. */
    protected static function messageCount(int $otherwise): int
    {
        return (int) (getenv('WSGATE_MESSAGES') ?: $otherwise);
    }

    /** Runs a program of tests/programs. */
    protected function program(string $name, string ...$arguments): ServerProcess
    {
        return $this->start([__DIR__ . "/programs/$name.php", ...$arguments]);
    }

    /** @param list<string> $arguments of PHP */
    protected function start(array $arguments, array $environment = []): ServerProcess
    {
        return $this->servers[] = new ServerProcess($arguments, $environment);
    }
}
