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
