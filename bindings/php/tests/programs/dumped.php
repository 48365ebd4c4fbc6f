<?php

// Dumps the server, and what belongs to it, whenever it can.

declare(strict_types=1);

use Wsgate\Client;

require __DIR__ . '/prelude.php';

$server = server();
$gateway = $server->gateway();
$client = null;

$dump = static function () use ($server, $gateway, &$client): void {
    ob_start();
    var_dump($server, $gateway, $client);
    print_r($server);
    ob_end_clean();
};

$server->endpoint('/')
    ->onAccept(static function (Client $accepted) use (&$client, $gateway, $dump): void {
        $client = $accepted;
        $gateway->add($client);
        $dump();
    })
    ->onMessage(static function (Client $client) use ($dump): void {
        $dump();
        $client->sendText('dumped');
    })
    ->onClose($dump);

$dump();
ready($server);
$dump();
$server->run();
$dump();
// The memory is used again.
$other = array_map(static fn (int $i): string => str_repeat("\xff", $i), range(1, 2000));
$dump();
echo "stopped\n";
