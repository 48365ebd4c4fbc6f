<?php

// All clients' unfinished messages together get 1 MiB.

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\CloseInfo;
use Wsgate\EndpointOptions;

use function Wsgate\setInboxBudget;

require __DIR__ . '/prelude.php';

setInboxBudget(1 << 20);
$server = server();
$server->endpoint('/', new EndpointOptions(rateBytes: 0, maxFrameSize: 10 << 20))
    ->onMessage(static function (Client $client, string $data): void {
        $client->sendText((string) strlen($data));
    })
    ->onClose(static function (Client $client, CloseInfo $info): void {
        echo "closed $info->code {$info->cause->name}\n";
    });
ready($server);
$server->run();
