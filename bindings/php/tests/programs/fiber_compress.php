<?php

// Sends as many x in the way it is told to, on an endpoint that compresses from 100 bytes on.

declare(strict_types=1);

use Wsgate\Compression;
use Wsgate\Rfc6455Client;
use Wsgate\Rfc6455ClientFactory;
use Wsgate\Rfc7692CompressionFactory;
use Wsgate\WebsocketClient;
use Wsgate\WebsocketClientGateway;

use function Wsgate\trapSignal;

require __DIR__ . '/fiber_prelude.php';

$site = new Site();
$room = new WebsocketClientGateway();

$handler = static function (WebsocketClient $client) use ($room): void {
    assert($client instanceof Rfc6455Client);
    $room->addClient($client);
    foreach ($client as $message) {
        [$how, $compress, $length] = explode(' ', (string) $message);
        $length = (int) $length;
        $compress = ['as-it-is' => null, 'always' => true, 'never' => false][$compress];
        $text = str_repeat('x', $length);
        match ($how) {
            'text' => $client->sendText($text, $compress),
            'binary' => $client->sendBinary($text, compress: $compress),
            'begin-text' => $client->streamText(str_split($text, 1 + intdiv($length, 10)), $compress),
            'begin-binary' => $client->streamBinary(str_split($text, 1 + intdiv($length, 10)), compress: $compress),
            'broadcast-text' => $room->broadcastText($text, compress: $compress),
            'broadcast-binary' => $room->broadcastBinary($text, [], $compress),
            'multicast-text' => $room->multicastText($text, [$client->getId()], compress: $compress),
            'multicast-binary' => $room->sendBinary($text, $client->getId(), compress: $compress)->await(),
        };
    }
};
$site->endpoint(
    '/',
    $handler,
    new Rfc6455ClientFactory(rateLimit: null, frameSplitThreshold: 0),
    compression: new Rfc7692CompressionFactory(new Compression(threshold: 100)),
);
$site->start();
trapSignal([SIGINT, SIGTERM]);
$site->server->stop();
