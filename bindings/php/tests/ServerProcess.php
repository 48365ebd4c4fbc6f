<?php

declare(strict_types=1);

namespace Wsgate\Tests;

use RuntimeException;

/** A PHP program in a process of its own, as servers are in real life. */
final class ServerProcess
{
    /** @var resource|null */
    private $process;

    /** @var resource */
    private $stdout;

    private readonly string $stderr;

    private string $buffer = '';

    public readonly int $pid;

    /** @param list<string> $arguments options of PHP first, then the program and its arguments */
    public function __construct(array $arguments, array $environment = [])
    {
        // A file: a pipe that nobody reads would stop a program that logs much.
        $this->stderr = tempnam(sys_get_temp_dir(), 'wsgate-test-');
        $this->process = proc_open(
            [PHP_BINARY, '-d', 'display_errors=stderr', '-d', 'log_errors=0', ...$arguments],
            [['file', '/dev/null', 'r'], ['pipe', 'w'], ['file', $this->stderr, 'a']],
            $pipes,
            null,
            $environment + getenv(),
        );
        $this->stdout = $pipes[1];
        $this->pid = proc_get_status($this->process)['pid'];
    }

    /** The port in the line that says where the server listens. */
    public function port(): int
    {
        $line = $this->line();
        if (preg_match('~^listening on \w+://127\.0\.0\.1:(\d+)/$~', $line, $match) !== 1) {
            throw new RuntimeException("expected 'listening on', got: $line; {$this->errors()}");
        }
        return (int) $match[1];
    }

    /** The next line that the program prints. */
    public function line(): string
    {
        $deadline = new Deadline();
        while (($end = strpos($this->buffer, "\n")) === false) {
            $deadline->waitReadable($this->stdout, "a line of the program; it had said: {$this->errors()}");
            $bytes = fread($this->stdout, 65536);
            if ($bytes === '' || $bytes === false) {
                throw new RuntimeException("the program ended: $this->buffer {$this->errors()}");
            }
            $this->buffer .= $bytes;
        }
        $line = substr($this->buffer, 0, $end);
        $this->buffer = substr($this->buffer, $end + 1);
        return $line;
    }

    public function signal(int $signal): void
    {
        proc_terminate($this->process, $signal);
    }

    /**
     * Waits for the program's end.
     *
     * @return int its exit status; 128 and more: killed by a signal
     */
    public function wait(): int
    {
        $deadline = new Deadline();
        do {
            $deadline->waitReadable($this->stdout, "the program's end; it had said: {$this->errors()}");
            $bytes = fread($this->stdout, 65536);
            $this->buffer .= $bytes;
        } while ($bytes !== '' && $bytes !== false);
        // The pipe is closed as the process ends, so this does not wait long.
        pcntl_waitpid($this->pid, $status);
        proc_close($this->process);
        $this->process = null;
        return pcntl_wifsignaled($status) ? 128 + pcntl_wtermsig($status) : pcntl_wexitstatus($status);
    }

    /** Stops the program as a service manager does, and waits for its end. */
    public function stop(): int
    {
        $this->signal(SIGTERM);
        return $this->wait();
    }

    /** What the program printed and nobody has read yet. */
    public function rest(): string
    {
        return $this->buffer;
    }

    /** What the program wrote to stderr. */
    public function errors(): string
    {
        return file_get_contents($this->stderr);
    }

    public function kill(): void
    {
        if ($this->process !== null) {
            $this->signal(SIGKILL);
            proc_close($this->process);
            $this->process = null;
        }
        if (is_file($this->stderr)) {
            unlink($this->stderr);
        }
    }
}
