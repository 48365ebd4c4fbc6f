<?php

// Ends in the state that its argument names, with fibers in many states; the client says "go".

declare(strict_types=1);

use Wsgate\WebsocketClient;
use Wsgate\WebsocketClientGateway;

use function Wsgate\async;
use function Wsgate\delay;
use function Wsgate\trapSignal;

require __DIR__ . '/fiber_prelude.php';

[, $state, $seed] = $argv;
mt_srand((int) $seed);

final class Destroyed
{
    public function __construct(private readonly ?Closure $call = null)
    {
    }

    public function __destruct()
    {
        $this->call?->__invoke();
    }
}

$site = new Site();
$gateway = new WebsocketClientGateway();
$site->endpoint('/', static function (WebsocketClient $client) use ($state, $gateway, $site): void {
    $gateway->addClient($client);
    $client->onClose(static function () use ($state): void {
        if ($state === 'in onClose') {
            exit(3);
        }
    });
    $client->sendText('welcome');
    // Fibers that wait for all kinds of things when the end comes.
    $kept = [
        async(static fn () => delay(60)),
        async(static fn () => $client->sendText('from a fiber')),
        $gateway->broadcastText('to all'),
        new Destroyed($state === 'destructors send' ? static function () use ($client, $gateway): void {
            try {
                $client->sendText('too late');
            } catch (Throwable) {
                // It is.
            }
            $gateway->broadcastText('too late');
        } : null),
    ];
    shuffle($kept);
    $GLOBALS['kept'][] = $kept;
    try {
        foreach ($client as $message) {
            switch ($state) {
                case 'in the handler':
                    exit(4);
                case 'after a broadcast':
                    $gateway->broadcastText('last');
                    exit(5);
                case 'in a future':
                    $gateway->broadcastText('last')->await();
                    exit(6);
                case 'in async':
                    async(static fn () => exit(7))->await();
                    break;
                case 'after a delay':
                    delay(0.01);
                    exit(8);
                case 'while it stops':
                    async(static fn () => $site->server->stop())->ignore();
                    delay(0.001);
                    exit(9);
                case 'destructors send':
                case 'destructors':
                    exit(10);
                case 'uncaught in async':
                    async(static fn () => throw new DomainException('nobody catches'));
                    delay(60);
                    break;
                case 'fatal':
                    str_repeat('x', PHP_INT_MAX - 1);
                    break;
            }
        }
    } finally {
        if ($state === 'in finally') {
            exit(11);
        }
    }
});
$site->start();
if ($state === 'at once') {
    exit(12);
}
if ($state === 'the script ends') {
    // With the handler's fiber waiting.
    delay(0.05);
    return;
}
trapSignal([SIGINT, SIGTERM]);
$site->server->stop();
