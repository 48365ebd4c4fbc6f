<?php

// So many clients: each says one thing, hears one, and leaves.

declare(strict_types=1);

use Wsgate\Tests\RawClient;

require __DIR__ . '/../Deadline.php';
require __DIR__ . '/../RawClient.php';

$clients = [];
for ($i = 0; $i < (int) $argv[2]; $i++) {
    $clients[] = $client = RawClient::connect((int) $argv[1]);
    $client->sendText('here');
}
echo "connected\n";
foreach ($clients as $client) {
    if ($client->receiveText() !== 'hello') {
        exit(1);
    }
}
echo "heard\n";
foreach ($clients as $client) {
    $client->close();
}
