<?php

/*
 * php echo.php [ADDRESS]: sends every message back, text as text and binary as binary.
 */

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\Server;

require __DIR__ . '/../../bindings/php/autoload.php';

$address = $argv[1] ?? '127.0.0.1:9001';

$server = new Server();
$server->listen($address);
$server->endpoint('/')->onMessage(static function (Client $client, string $data, bool $binary): void {
    if ($binary) {
        $client->sendBinary($data);
    } else {
        $client->sendText($data);
    }
});
$server->start();

$host = substr($address, 0, strrpos($address, ':'));
echo "listening on ws://$host:{$server->getPort()}/\n";

// Until SIGINT or SIGTERM.
$server->run();
