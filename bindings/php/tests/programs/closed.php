<?php

// What may be done with a client that is closed; says on stdout what happened.

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\CloseInfo;
use Wsgate\WsgateException;

require __DIR__ . '/prelude.php';

function attempt(string $what, Closure $call): void
{
    try {
        $call();
        echo "$what: nothing\n";
    } catch (WsgateException $e) {
        echo "$what: ", basename(strtr($e::class, '\\', '/')), " {$e->status->name} {$e->getMessage()}\n";
    }
}

function attemptAll(Client $client): void
{
    attempt('text', static fn () => $client->sendText('x'));
    attempt('binary', static fn () => $client->sendBinary('x'));
    attempt('large', static fn () => $client->sendBinary(str_repeat('x', 100_000)));
    attempt('ping', static fn () => $client->ping(1));
    attempt('close', static fn () => $client->close());
}

$server = server();
$gateway = $server->gateway();
$server->endpoint('/')
    ->onMessage(static function (Client $client, string $data): void {
        echo "message $data\n";
        $client->close(4000, 'enough');
        attemptAll($client);
    })
    ->onClose(static function (Client $client, CloseInfo $info) use ($gateway, $server): void {
        echo $client->isClosed() ? "onClose $info->code\n" : "onClose, and not closed\n";
        attemptAll($client);
        attempt('add', static fn () => $gateway->add($client));
        attempt('remove', static fn () => $gateway->remove($client));
        attempt('except', static fn () => $gateway->broadcastText('x', [$client]));
        $server->stop();
    });
ready($server);
$server->run();
attempt('stopped: gateway', static fn () => $server->gateway());
attempt('stopped: broadcast', static fn () => $gateway->broadcastText('x'));
attempt('stopped: close gateway', static fn () => $gateway->close());
attempt('stopped: stop', static fn () => $server->stop());
attempt('stopped: port', static fn () => $server->getPort());
echo 'stopped: tick: ', var_export($server->tick(), true), "\n";
$server->run();
echo "end\n";
