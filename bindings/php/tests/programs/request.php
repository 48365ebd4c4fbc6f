<?php

// Sends each client what is known of its request.

declare(strict_types=1);

use Wsgate\Client;

require __DIR__ . '/prelude.php';

$server = server();
$server->endpoint('/where')->onAccept(static function (Client $client): void {
    $request = $client->getRequest();
    $client->sendText(json_encode([
        'method' => $request->getMethod(),
        'target' => $request->getTarget(),
        'path' => $request->getPath(),
        'query' => $request->getQuery(),
        'name' => $request->getQueryParameter('name'),
        'missing' => $request->getQueryParameter('missing'),
        'header' => $request->getHeader('X-Test'),
        'headers' => $request->getHeaders()['x-test'] ?? [],
        'remote' => $request->getRemoteAddress(),
        'local' => $request->getLocalAddress(),
        'subprotocol' => $request->getSubprotocol(),
        'same' => $request === $client->getRequest(),
    ], JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE));
});
ready($server);
$server->run();
