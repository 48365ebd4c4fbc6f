<?php

// Decides on handshakes as their query says, and answers all requests.

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\EndpointOptions;
use Wsgate\Exchange;
use Wsgate\Handshake;
use Wsgate\LogLevel;
use Wsgate\Outcome;
use Wsgate\WsgateException;

require __DIR__ . '/prelude.php';

$server = server();
$server->onLog(static function (LogLevel $level, string $target, string $text): void {
    echo strtok("$text\n", "\n"), "\n";
});
$room = $server->gateway();
/** @var Handshake|null $waiting */
$waiting = null;

$server->endpoint('/rooms/:room', new EndpointOptions(gateway: $room))
    ->onHandshake(static function (Handshake $handshake) use (&$waiting): void {
        switch ($handshake->getRequest()->getQuery()) {
            case 'accept':
                if ($waiting !== null) {
                    $accepted = $waiting->accept();
                    if (!$accepted) {
                        echo "accepted too late: false\n";
                    }
                }
                $offered = $handshake->getRequest()->getSubprotocol();
                $handshake->accept($offered === '' ? null : 'b', ['X-One' => '1', 'X-Two' => ['a', 'b']]);
                break;
            case 'reject':
                $handshake->reject(401, ['Content-Type' => 'application/json'], '{"error":"no token"}');
                echo 'again: ', json_encode($handshake->reject(403)), "\n";
                break;
            case 'later':
                $waiting = $handshake;
                echo "later: kept\n";
                break;
            case 'bad':
                foreach (['bad' => "a\nb", 'nul' => "a\0X-Evil\0b"] as $name => $value) {
                    try {
                        $handshake->accept(headers: ['X-Bad' => $value]);
                    } catch (WsgateException $e) {
                        echo "$name: {$e->status->name}\n";
                    }
                }
                $handshake->accept();
                break;
            default:
                throw new DomainException('in onHandshake');
        }
    }, static function (int $id, int $status): void {
        echo "gone: $status\n";
    })
    ->onAccept(static function (Client $client): void {
        $request = $client->getRequest();
        $offered = $request->getHeader('sec-websocket-protocol');
        $client->sendText("welcome {$request->getParameter('room')}" . ($offered === null ? '' : ", offered $offered"));
    })
    ->onMessage(static function (Client $client, string $command) use ($room): void {
        $tell = static function (Outcome $outcome) use ($client): void {
            $client->sendText($outcome->refused !== null
                ? "refused {$outcome->refused->name}"
                : "outcome $outcome->delivered $outcome->failed " . json_encode($outcome->failedIds));
        };
        switch ($command) {
            case 'broadcast':
                $room->broadcastText('to all', outcome: $tell);
                break;
            case 'multicast':
                $room->multicastBinary('to some', [$client], $tell);
                break;
            case 'invalid':
                $room->broadcastText("\xff", outcome: $tell);
                break;
            case 'ended':
                $room->close();
                $room->broadcastText('to nobody', outcome: $tell);
                break;
        }
    });

$server->onRequest(static function (Exchange $exchange): void {
    $request = $exchange->getRequest();
    if ($request->getPath() === '/throw') {
        throw new DomainException('in onRequest');
    }
    $exchange->respond(200, [], "{$request->getMethod()} {$request->getTarget()}: {$request->getBody()}");
});
$server->onRefusal(static function (Exchange $exchange): void {
    if ($exchange->getRequest()->getQueryParameter('throw') !== null) {
        throw new DomainException('in onRefusal');
    }
    $exchange->respond($exchange->refusal, ['content-type' => 'application/json'], "{\"error\":$exchange->refusal}");
});
ready($server);
$server->run();
