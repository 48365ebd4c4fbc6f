<?php

// Sends to clients outside of callbacks, driven by stdin-less ticks: each client gets three messages after
// the tick that accepted it, and a message to a client that has gone meanwhile is dropped.

declare(strict_types=1);

use Wsgate\Client;

require __DIR__ . '/prelude.php';

$clients = [];
$server = server();
$server->endpoint('/')->onAccept(static function (Client $client) use (&$clients): void {
    $clients[] = $client;
});
ready($server);

$stream = fopen("php://fd/{$server->getDescriptor()}", 'r');
$wait = static function () use ($stream): void {
    $read = [$stream];
    $none = null;
    stream_select($read, $none, $none, 20);
};

while ($clients === []) {
    $wait();
    $server->tick();
}
foreach (['one', 'two'] as $text) {
    $clients[0]->sendText($text);
}
$clients[0]->sendBinary('three');

// The next event is the client's CLOSE. Until it was taken the client counts as open, and nothing throws.
$wait();
echo $clients[0]->isClosed() ? "closed early\n" : "not told\n";
$clients[0]->sendText('too late');
$clients[0]->ping(1);
while (!$clients[0]->isClosed()) {
    $wait();
    $server->tick();
}
echo "told\n";
$server->stop();
while ($server->tick()) {
    $wait();
}
echo "stopped\n";
