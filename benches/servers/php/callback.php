<?php

/*
 * php callback.php MODE PORT: the server of the start scripts php-callback-MODE.sh.
 */

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\EndpointOptions;
use Wsgate\Gateway;
use Wsgate\Server;

require __DIR__ . '/../../../bindings/php/autoload.php';
require __DIR__ . '/conformance.php';
require __DIR__ . '/deflate.php';

[, $mode, $port] = $argv;

$server = new Server();
$server->listen("127.0.0.1:$port")->workers((int) (getenv('WORKERS') ?: 1))->maxConnections(0);

$echo = static function (Client $client, string $data, bool $binary): void {
    if ($binary) {
        $client->sendBinary($data);
    } else {
        $client->sendText($data);
    }
};

$unlimited = static fn (?Gateway $gateway = null): EndpointOptions => new EndpointOptions(
    ...AT_WILL,
    gateway: $gateway,
    maxMessageSize: 64 << 20,
    maxFrameSize: 64 << 20,
    maxFragments: 1_000_000,
    outboxBytes: 256 << 20,
    outboxMessages: 30_000,
    compression: deflate(),
);

switch ($mode) {
    case 'echo':
        $server->endpoint('/', $unlimited())->onMessage($echo);
        break;
    case 'broadcast':
        $gateway = $server->gateway();
        $server->endpoint('/', $unlimited($gateway))->onMessage(
            static function (Client $client, string $data, bool $binary) use ($gateway): void {
                if ($binary) {
                    $gateway->broadcastBinary($data);
                } else {
                    $gateway->broadcastText($data);
                }
            },
        );
        break;
    case 'conformance':
        addConformanceEndpoints($server, $echo);
        break;
    default:
        fwrite(STDERR, "usage: php callback.php echo|broadcast|conformance PORT\n");
        exit(2);
}

$server->start();
echo "listening on ws://127.0.0.1:{$server->getPort()}/\n";
$server->run();
