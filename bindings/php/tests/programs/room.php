<?php

// A gateway that clients join by themselves, commanded by text; says on stdout how each client ended.

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\CloseInfo;
use Wsgate\EndpointOptions;

require __DIR__ . '/prelude.php';

$server = server();
$room = $server->gateway();
$other = $server->gateway();
/** @var array<string, Client> $named */
$named = [];

$server->endpoint('/', new EndpointOptions(gateway: $room))
    ->onAccept(static function (Client $client) use (&$named): void {
        $client->data = $client->getRequest()->getQueryParameter('name') ?? '';
        $named[$client->data] = $client;
        $client->sendText("hello {$client->data}");
    })
    ->onMessage(static function (Client $client, string $data, bool $binary) use ($room, $other, &$named): void {
        [$command, $rest] = explode(' ', $data, 2) + [1 => ''];
        switch ($command) {
            case 'all':
                $room->broadcastText("{$client->data}: $rest");
                break;
            case 'bytes':
                $room->broadcastBinary($rest);
                break;
            case 'except':
                $room->broadcastText('to the rest', array_map(
                    static fn (string $name): Client => $named[$name],
                    explode(',', $rest),
                ));
                break;
            case 'leave':
                $room->remove($client);
                $client->sendText('left');
                break;
            case 'join':
                $room->add($client);
                $client->sendText('joined');
                break;
            case 'other':
                $other->add($client);
                $other->broadcastText('other');
                break;
            case 'end':
                $other->close();
                $other->broadcastText('to nobody');
                $client->sendText('ended');
                break;
            case 'order':
                for ($i = 0; $i < (int) $rest; $i++) {
                    $client->sendText("direct $i");
                    $room->broadcastText("room $i");
                    $client->sendBinary(str_repeat('x', 70_000));
                }
                break;
            case 'close':
                [$code, $reason] = explode(' ', $rest, 2) + [1 => ''];
                $client->sendText('last');
                $client->close((int) $code, $reason);
                break;
            case 'ping':
                $client->ping((int) $rest);
                break;
        }
    })
    ->onPong(static function (Client $client, int $ticket): void {
        $client->sendText("pong $ticket");
    })
    ->onClose(static function (Client $client, CloseInfo $info): void {
        $order = $info->client->connectedNs <= $info->client->closedNs ? 'ordered' : 'confused';
        echo "closed {$client->data}: $info->code {$info->cause->name} ", $info->clean ? 'clean' : 'unclean',
            " in={$info->client->messagesIn} out={$info->client->messagesOut} $order '$info->reason'\n";
    });

ready($server);
$server->run();
echo "stopped\n";
