<?php

// Ends in the state that its argument names; the connected client says "go" where a message is needed.

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\LogLevel;
use Wsgate\Server;

require __DIR__ . '/prelude.php';

$state = $argv[1];

/** Sends to a client, or exits, when PHP destroys it. */
final class AtDestruction
{
    public function __construct(private readonly Closure $call)
    {
    }

    public function __destruct()
    {
        ($this->call)();
    }
}

if ($state === 'shutdown function registered before') {
    register_shutdown_function(static function (): void {
        exit(17);
    });
}

$server = server();
if ($state === 'before start') {
    exit(3);
}

if ($state === 'in onLog') {
    $server->onLog(static function (LogLevel $level): void {
        exit(10);
    });
}

$gateway = $server->gateway();
$endpoint = $server->endpoint('/');
$endpoint->onAccept(static function (Client $client) use ($state): void {
    if ($state === 'in onAccept') {
        exit(4);
    }
    $client->sendText('welcome');
});
$endpoint->onClose(static function () use ($state): void {
    if ($state === 'in onClose') {
        exit(5);
    }
});
$endpoint->onPong(static function (): void {
    exit(6);
});
$endpoint->onMessage(static function (Client $client) use ($state, $server, $gateway): void {
    switch ($state) {
        case 'in a tick':
            exit(26);
        case 'in onMessage':
            exit(7);
        case 'in onMessage after a send':
            $client->sendText('bye');
            $client->sendBinary(str_repeat('x', 100_000));
            exit(8);
        case 'in onMessage after a broadcast':
            $gateway->add($client);
            $gateway->broadcastText('bye');
            exit(9);
        case 'in onMessage while it stops':
            $server->stop();
            exit(11);
        case 'in onMessage after close':
            $client->close();
            exit(12);
        case 'in a fiber':
            (new Fiber(static function () use ($client): void {
                $client->sendText('bye');
                exit(13);
            }))->start();
            break;
        case 'while a fiber waits':
            $fiber = new Fiber(static function () use ($client): void {
                $client->sendText('bye');
                Fiber::suspend();
            });
            $fiber->start();
            $client->data = $fiber;
            exit(14);
        case 'in a generator':
            foreach ((static fn () => yield exit(15))() as $_) {
                break;
            }
            break;
        case 'in onPong':
            $client->ping(1);
            break;
        case 'in onLog':
            throw new LogicException('logged');
        case 'memory limit':
            str_repeat('x', 1 << 40);
            break;
        case 'in a destructor':
            $client->data = new AtDestruction(static function (): void {
                exit(16);
            });
            $client->data = null;
            break;
        case 'a destructor sends':
            $GLOBALS['late'] = new AtDestruction(static function () use ($client, $gateway): void {
                $client->sendText('too late');
                $gateway->broadcastText('too late');
            });
            exit(18);
        case 'a destructor stops':
            $GLOBALS['late'] = new AtDestruction($server->stop(...));
            exit(19);
        case 'the error handler':
            trigger_error('fatal', E_USER_ERROR);
            break;
        case 'in a signal handler':
            posix_kill(posix_getpid(), SIGUSR1);
            break;
        case 'after its fork':
            if (pcntl_fork() === 0) {
                exit(0);
            }
            pcntl_wait($status);
            exit(20 + pcntl_wexitstatus($status));
        case 'a second server':
            $second = server();
            $second->endpoint('/');
            $second->start();
            exit(21);
    }
});

ready($server);
pcntl_signal(SIGUSR1, static function (): void {
    exit(22);
});

switch ($state) {
    case 'after start':
        exit(23);
    case 'uncaught':
        throw new LogicException('uncaught');
    case 'never run':
        return;
    case 'the server is dropped':
        $kept = $gateway;
        unset($server);
        gc_collect_cycles();
        exit(24);
    case 'in a tick':
        while ($server->tick()) {
            // Busy, but only until the client says "go".
        }
        break;
    case 'shutdown function registered before':
        exit(0);
    case 'shutdown function registered after':
        register_shutdown_function(static function () use ($server): void {
            $server->stop();
            exit(25);
        });
        exit(0);
    default:
        $server->run();
}
