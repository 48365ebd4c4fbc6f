<?php

// Sends as many x in the way it is told to, on an endpoint that compresses from 100 bytes on.

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\Compression;
use Wsgate\EndpointOptions;

require __DIR__ . '/prelude.php';

$server = server();
$room = $server->gateway();
$options = new EndpointOptions(frameSplit: 0, compression: new Compression(threshold: 100));
$server->endpoint('/', $options)->onMessage(static function (Client $client, string $command) use ($room): void {
    [$how, $compress, $length] = explode(' ', $command);
    $length = (int) $length;
    $compress = ['as-it-is' => null, 'always' => true, 'never' => false][$compress];
    $text = str_repeat('x', $length);
    $room->add($client);
    match ($how) {
        'text' => $client->sendText($text, $compress),
        'binary' => $client->sendBinary($text, compress: $compress),
        'begin-text' => $client->beginText($compress),
        'begin-binary' => $client->beginBinary($compress),
        'broadcast-text' => $room->broadcastText($text, compress: $compress),
        'broadcast-binary' => $room->broadcastBinary($text, [], null, $compress),
        'multicast-text' => $room->multicastText($text, [$client], compress: $compress),
        'multicast-binary' => $room->multicastBinary($text, [$client], compress: $compress, outcome: static fn () => null),
    };
    if (str_starts_with($how, 'begin')) {
        foreach (str_split($text, 1 + intdiv($length, 10)) as $chunk) {
            $client->sendChunk($chunk);
        }
        $client->endMessage();
    }
});

ready($server);
$server->run();
