<?php

/*
 * Messages in parts: /stream and /parts, by closures.
 */

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\EndpointOptions;
use Wsgate\Server;

function addStreamEndpoints(Server $server, Closure $echo): void
{
    $options = new EndpointOptions(
        ...AT_WILL,
        maxMessageSize: 2 << 20,
        // The longest message has room: who sends the next has read it.
        outboxBytes: 4 << 20,
        outboxMessages: 10_000,
    );
    $server->endpoint('/stream', $options)->onMessage($echo)->onChunks(
        begin: static function (Client $client, int $message, bool $binary): void {
            $binary ? $client->beginBinary() : $client->beginText();
        },
        chunk: static function (Client $client, string $data): void {
            $client->sendChunk($data);
        },
        end: static function (Client $client): void {
            $client->endMessage();
        },
    );
    $server->endpoint('/parts', new EndpointOptions(...AT_WILL))->onMessage(
        static function (Client $client, string $command): void {
            $words = explode(' ', $command);
            $verb = array_shift($words);
            $client->beginText();
            foreach ($words as $i => $word) {
                $client->sendChunk($word);
                if ($i === 0 && $verb === 'words') {
                    $client->sendText('behind');
                }
            }
            // A message that is not ended is given up with its client.
            $verb === 'words' ? $client->endMessage() : $client->close();
        },
    );
}
