<?php

/*
 * php chat.php [ADDRESS [PUBLIC_DIR]]: a room for everybody who opens the page, with names.
 *
 * People connect to /chat?name=NAME and say plain text; the server sends JSON:
 *   {"type":"welcome","name":NAME,"people":[NAME,...]}   to the newcomer
 *   {"type":"join","name":NAME}                          to the others
 *   {"type":"say","name":NAME,"text":TEXT}               to all
 *   {"type":"leave","name":NAME}                         to all who are left
 *
 * Pages may connect from http://127.0.0.1:PORT and http://localhost:PORT. ORIGINS in the environment, a list
 * with commas, replaces these two; ORIGINS=* lets any page in.
 */

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\EndpointOptions;
use Wsgate\Gateway;
use Wsgate\Server;

require __DIR__ . '/../../bindings/php/autoload.php';

final class Room
{
    /** @var array<int, string> names by client id, in order of arrival */
    private array $people = [];

    private int $guests = 0;

    public function __construct(private readonly Gateway $gateway)
    {
    }

    public function enter(Client $client): void
    {
        $name = self::cleanName($client->getRequest()->getQueryParameter('name') ?? '');
        if ($name === '') {
            $name = 'guest-' . ++$this->guests;
        }
        $this->people[$client->getId()] = $name;
        $client->sendText(self::about('welcome', $name, ['people' => array_values($this->people)]));
        // Enters the gateway last: nothing that others say overtakes the welcome, and the join is not for itself.
        $this->gateway->broadcastText(self::about('join', $name));
        $this->gateway->add($client);
    }

    public function say(Client $client, string $text, bool $binary): void
    {
        if ($binary) {
            $client->close(1003, 'text only');
        } elseif ($text !== '') {
            $name = $this->people[$client->getId()];
            $this->gateway->broadcastText(self::about('say', $name, ['text' => $text]));
        }
    }

    public function leave(Client $client): void
    {
        $name = $this->people[$client->getId()];
        unset($this->people[$client->getId()]);
        $this->gateway->broadcastText(self::about('leave', $name));
    }

    /** The first 32 characters that are not controls; empty if it is not UTF-8. */
    private static function cleanName(string $name): string
    {
        $visible = preg_replace('/\p{Cc}/u', '', $name) ?? '';
        preg_match('/^.{0,32}/us', $visible, $match);
        return $match[0];
    }

    /** @param array<string, string|list<string>> $more */
    private static function about(string $type, string $name, array $more = []): string
    {
        $members = [];
        foreach (['type' => $type, 'name' => $name] + $more as $key => $value) {
            $json = is_array($value)
                ? '[' . implode(',', array_map(self::json(...), $value)) . ']'
                : self::json($value);
            $members[] = "\"$key\":$json";
        }
        return '{' . implode(',', $members) . '}';
    }

    /** Escapes what JSON demands and no more, as the other languages' chats do; json_encode() has short forms. */
    private static function json(string $text): string
    {
        $escape = static fn (array $match): string => $match[0] === '"' || $match[0] === '\\'
            ? '\\' . $match[0]
            : sprintf('\u%04x', ord($match[0]));
        return '"' . preg_replace_callback('/["\\\\\x00-\x1f]/', $escape, $text) . '"';
    }
}

$address = $argv[1] ?? '127.0.0.1:8080';
$public = $argv[2] ?? __DIR__ . '/../public';
[$host, $port] = preg_split('/:(?=\d*$)/', $address) + [1 => ''];

$origins = getenv('ORIGINS');
$origins = match ($origins) {
    false => ["http://127.0.0.1:$port", "http://localhost:$port"],
    '*' => [],
    default => explode(',', $origins),
};

$server = new Server();
$server->listen($address)->directory($public);
$room = new Room($server->gateway());
$server->endpoint('/chat', new EndpointOptions(origins: $origins, maxMessageSize: 2000))
    ->onAccept($room->enter(...))
    ->onMessage($room->say(...))
    ->onClose($room->leave(...));
$server->start();

echo "listening on http://$host:{$server->getPort()}/\n";

// Until SIGINT or SIGTERM.
$server->run();
