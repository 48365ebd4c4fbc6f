<?php

// The server inside another event loop, which has a timer of its own.

declare(strict_types=1);

use Wsgate\Client;

require __DIR__ . '/prelude.php';

pcntl_async_signals(true);
$server = server();
$server->endpoint('/')->onMessage(static function (Client $client, string $data): void {
    $client->sendText($data);
});
ready($server);
pcntl_signal(SIGTERM, static fn () => $server->stop());

$stream = fopen("php://fd/{$server->getDescriptor()}", 'r');
$idle = 0;
do {
    $read = [$stream];
    $none = null;
    $ready = @stream_select($read, $none, $none, 0, 200_000);
    if ($ready === 0) {
        // Nothing waits, so the descriptor must not be readable, and a tick has nothing to do.
        echo 'idle ', ++$idle, "\n";
    }
} while ($ready !== 1 || $server->tick());
echo "stopped\n";
