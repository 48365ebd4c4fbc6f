<?php

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\CloseInfo;
use Wsgate\EndpointOptions;
use Wsgate\Gateway;
use Wsgate\Server;

require __DIR__ . '/endpoints.php';
require __DIR__ . '/decisions.php';
require __DIR__ . '/streams.php';

/** Clients say as much and as little as they like, and get what they are sent frame by frame. */
const AT_WILL = ['frameSplit' => 0, 'heartbeatPeriod' => 0, 'rateBytes' => 0, 'rateFrames' => 0];

/** The endpoints that the conformance scenarios talk to, in every language the same. */
function addConformanceEndpoints(Server $server, Closure $echo): void
{
    $server->endpoint('/echo', new EndpointOptions(...AT_WILL))->onMessage($echo);
    $small = new EndpointOptions(...AT_WILL, maxMessageSize: 1000, maxFrameSize: 500, maxFragments: 4);
    $server->endpoint('/small', $small)->onMessage($echo);
    $server->endpoint('/origin', new EndpointOptions(...AT_WILL, origins: ['http://good.example']))->onMessage($echo);

    $server->endpoint('/welcome', new EndpointOptions(...AT_WILL))
        ->onAccept(static function (Client $client): void {
            $request = $client->getRequest();
            $value = $request->getHeader('x-test');
            $client->sendText("welcome {$request->getTarget()}" . ($value === null ? '' : " $value"));
        })
        ->onMessage($echo);

    $server->endpoint('/close', new EndpointOptions(...AT_WILL))->onMessage(static function (Client $client, string $text): void {
        [$code, $reason] = explode(' ', $text, 2) + [1 => ''];
        $client->close((int) $code, $reason);
    });

    $server->endpoint('/ping', new EndpointOptions(...AT_WILL))
        ->onMessage(static function (Client $client, string $ticket): void {
            $client->ping((int) $ticket);
        })
        ->onPong(static function (Client $client, int $ticket): void {
            $client->sendText("pong $ticket");
        });

    $room = $server->gateway();
    $server->endpoint('/room', new EndpointOptions(...AT_WILL, gateway: $room))->onMessage(
        static function (Client $client, string $command) use ($room): void {
            say($room, $client, $command);
        },
    );

    $watchers = $server->gateway();
    $server->endpoint('/watch', new EndpointOptions(...AT_WILL, gateway: $watchers));
    $server->endpoint('/watched', new EndpointOptions(...AT_WILL))
        ->onAccept(static function (Client $client) use ($watchers): void {
            $watchers->broadcastText('accept ' . $client->getRequest()->getTarget());
        })
        ->onMessage(static function (Client $client, string $data, bool $binary) use ($echo): void {
            if (!$binary && str_starts_with($data, 'bye ')) {
                [, $code, $reason] = explode(' ', $data, 3) + [2 => ''];
                $client->close((int) $code, $reason);
            } else {
                $echo($client, $data, $binary);
            }
        })
        ->onClose(static function (Client $client, CloseInfo $info) use ($watchers): void {
            $watchers->broadcastText(implode(' ', [
                'close',
                $info->code,
                strtolower($info->cause->name),
                (int) $info->clean,
                $info->client->messagesIn,
                $info->client->messagesOut,
                $info->reason,
            ]));
        });

    addStreamEndpoints($server, $echo);
    addDecisionEndpoints($server, $echo);
}

/** The commands of /room. */
function say(Gateway $room, Client $client, string $command): void
{
    foreach (roomActions($command) as [$action, $text]) {
        match ($action) {
            'send' => $client->sendText($text),
            'all' => $room->broadcastText($text),
            'others' => $room->broadcastText($text, except: [$client]),
            'bytes' => $room->broadcastBinary($text),
            'leave' => $room->remove($client),
            'join' => $room->add($client),
        };
    }
}
