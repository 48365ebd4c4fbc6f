<?php

// Every callback throws when it is asked to; says on stdout what is logged.

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\EndpointOptions;
use Wsgate\FullException;
use Wsgate\LogLevel;

require __DIR__ . '/prelude.php';

$server = server();
$server->onLog(static function (LogLevel $level, string $target, string $text): void {
    preg_match('/(\w+(Exception|Error)): ([^\n]*?)( in \/|$)/m', $text, $match);
    echo "log {$level->name} $target $match[1] $match[3]\n";
    if ($match[3] === 'in onClose') {
        throw new LogicException('in onLog');
    }
});

$echo = static function (Client $client, string $data): void {
    if ($data === 'throw') {
        throw new DomainException('in onMessage');
    }
    if ($data === 'type') {
        strlen(new stdClass());
    }
    if ($data === 'not utf-8') {
        $client->sendText("\xff");
        return;
    }
    if ($data === 'not utf-8, large') {
        $client->sendText(str_repeat("\xff", 100_000));
        return;
    }
    if ($data === 'long close') {
        $client->close((1 << 32) + 1000);
    }
    if ($data === 'bad close') {
        $client->close(1005);
    }
    if ($data === 'ping') {
        $client->ping(1);
        return;
    }
    $client->sendText($data);
};
$server->endpoint('/')->onMessage($echo)->onPong(static function (): void {
    throw new DomainException('in onPong');
});
$server->endpoint('/accept')->onMessage($echo)->onAccept(static function (): void {
    throw new DomainException('in onAccept');
});
$server->endpoint('/close')->onMessage($echo)->onClose(static function (): void {
    throw new DomainException('in onClose');
});
$server->endpoint('/drain', new EndpointOptions(outboxBytes: 65_536))
    ->onMessage(static function (Client $client): void {
        try {
            while (true) {
                $client->sendText(str_repeat('x', 70_000));
            }
        } catch (FullException) {
            echo "full\n";
        }
    })
    ->onDrain(static function (): void {
        throw new DomainException('in onDrain');
    });
$room = $server->gateway();
$server->endpoint('/outcome', new EndpointOptions(gateway: $room))->onMessage(static function (Client $client, string $data) use ($room): void {
    // The second is refused: it is no text.
    foreach (['text', "\xff"] as $text) {
        $room->multicastText($text, [$client], static function (): void {
            throw new DomainException('in an outcome');
        });
    }
    $client->sendText($data);
});
ready($server);
$server->run();
