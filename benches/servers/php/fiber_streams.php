<?php

/*
 * The endpoints of streams.php, as fibers.
 */

declare(strict_types=1);

use Wsgate\Rfc6455ParserFactory;
use Wsgate\WebsocketClient;
use Wsgate\WebsocketClosedException;

use function Wsgate\async;

/** Of a message that is not ended. */
final class GivenUpException extends Exception
{
}

/** @param Closure $add as in addFiberConformanceRoutes() */
function addFiberStreamRoutes(Closure $add): void
{
    $stream = static function (WebsocketClient $client): void {
        try {
            foreach ($client as $message) {
                $message->isBinary() ? $client->streamBinary($message) : $client->streamText($message);
            }
        } catch (WebsocketClosedException) {
            // In the midst of a message.
        }
    };
    $add('/stream', $stream, factory: clientsAtWill(new Rfc6455ParserFactory(messageSizeLimit: 2 << 20)));

    $add('/parts', static function (WebsocketClient $client): void {
        foreach ($client as $message) {
            $words = explode(' ', (string) $message);
            $verb = array_shift($words);
            $parts = static function () use ($client, $verb, $words): iterable {
                foreach ($words as $i => $word) {
                    yield $word;
                    if ($verb === 'half') {
                        throw new GivenUpException();
                    }
                    if ($i === 0) {
                        async(static fn () => $client->sendText('behind'))->ignore();
                    }
                }
            };
            try {
                $client->streamText($parts());
            } catch (GivenUpException) {
                // The library has closed the client.
            }
        }
    });
}
