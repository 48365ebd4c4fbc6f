<?php

declare(strict_types=1);

use Wsgate\Server;

require __DIR__ . '/../../autoload.php';

/** A server on a port of the system's choice. */
function server(): Server
{
    return (new Server())->listen('127.0.0.1:0')->workers(1);
}

/** Starts it, and says where it listens. */
function ready(Server $server): void
{
    $server->start();
    echo "listening on ws://127.0.0.1:{$server->getPort()}/\n";
}
