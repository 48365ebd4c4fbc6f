<?php

// A small outbox: "fill SIZE,SIZE…" sends numbered messages of these sizes in turn until one is refused; says on
// stdout what happened.

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\EndpointOptions;
use Wsgate\FullException;

require __DIR__ . '/prelude.php';

$server = server();
$sent = 0;
$server->endpoint('/', new EndpointOptions(outboxBytes: 65_536, outboxMessages: 1000))
    ->onMessage(static function (Client $client, string $data) use (&$sent): void {
        $sizes = array_map(intval(...), explode(',', explode(' ', $data)[1]));
        try {
            // In the end the kernel takes no more, and the outbox fills.
            while (true) {
                $client->sendText(str_pad((string) $sent, $sizes[$sent % count($sizes)]));
                $sent++;
                if ($sent % 16 === 0) {
                    // Leaves the batch, so that the library answers now.
                    $client->ping($sent);
                }
            }
        } catch (FullException $e) {
            echo $client->isFull() ? 'full' : 'not full', " {$e->status->name}\n";
        }
    })
    ->onDrain(static function (Client $client) use (&$sent): void {
        echo $client->isFull() ? "drained, and full\n" : "drained\n";
        $client->sendText("end $sent");
    });
ready($server);
$server->run();
