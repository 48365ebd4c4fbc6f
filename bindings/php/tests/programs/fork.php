<?php

// Forks while the server runs; says on stdout what the child may do.

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\WsgateException;

require __DIR__ . '/prelude.php';

$server = server();
$server->endpoint('/')->onMessage(static function (Client $client, string $data) use ($server): void {
    if ($data !== 'fork') {
        $client->sendText($data);
        return;
    }
    $child = pcntl_fork();
    if ($child > 0) {
        pcntl_waitpid($child, $status);
        $client->sendText('child ' . (pcntl_wifexited($status) ? pcntl_wexitstatus($status) : 'killed'));
        return;
    }
    foreach (['stop' => $server->stop(...), 'gateway' => $server->gateway(...)] as $what => $call) {
        try {
            $call();
            echo "$what: nothing\n";
        } catch (WsgateException $e) {
            echo "$what: {$e->status->name} {$e->getMessage()}\n";
        }
    }
    $own = server();
    $own->start();
    echo 'own server: ', $own->getPort() > 0 ? 'runs' : 'does not', "\n";
    $client->sendText('never sent');
    // The child returns to run(), which throws.
});
ready($server);
try {
    $server->run();
} catch (WsgateException $e) {
    echo "run: {$e->status->name}\n";
    exit(7);
}
