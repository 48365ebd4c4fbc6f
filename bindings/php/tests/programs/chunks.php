<?php

// The callback layer's messages in chunks; says on stdout what comes.

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\EndpointOptions;
use Wsgate\LogLevel;

require __DIR__ . '/prelude.php';

$server = server();
$server->onLog(static function (LogLevel $level, string $target, string $text): void {
    preg_match('/Exception: (.*) in /', $text, $match);
    echo "log $match[1]\n";
});
$server->endpoint('/', new EndpointOptions(rateBytes: 0))
    ->onMessage(static function (Client $client, string $data, bool $binary): void {
        echo "whole $data\n";
        match ($data) {
            'make one' => $client->beginText(),
            'first' => $client->sendChunk('1'),
            'not yet' => $client->sendText('after it'),
            'second' => $client->sendChunk(''),
            'large' => $client->sendChunk(str_repeat('x', 100_000)),
            'last' => $client->endMessage(),
            'none open' => $client->sendChunk('x'),
            'two' => [$client->beginBinary(), $client->beginText()],
            default => null,
        };
    })
    ->onChunks(static function (Client $client, int $number, bool $binary): void {
        $client->data = $number;
        echo 'begin ', $binary ? 'binary' : 'text', " $number\n";
    }, static function (Client $client, string $data): void {
        if ($data === 'enough') {
            $client->discard($client->data);
        }
        if (strlen($data) < 1000) {
            echo "chunk $data\n";
        }
    }, static function (Client $client): void {
        echo "end\n";
    });
ready($server);
$server->run();
