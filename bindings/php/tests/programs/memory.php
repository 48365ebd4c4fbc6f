<?php

// Echoes; the text "memory" is answered by PHP's memory use. Cycles are not collected: none may be made.

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\EndpointOptions;

require __DIR__ . '/prelude.php';

$server = server();
$atWill = new EndpointOptions(rateBytes: 0, rateFrames: 0);
$server->endpoint('/', $atWill)->onMessage(static function (Client $client, string $data): void {
    if ($data === 'memory') {
        $client->sendText((string) memory_get_usage());
    } else {
        $client->sendText($data);
    }
});
ready($server);
gc_disable();
$server->run();
