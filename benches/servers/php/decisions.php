<?php

declare(strict_types=1);

use Wsgate\Client;
use Wsgate\EndpointOptions;
use Wsgate\Exchange;
use Wsgate\Handshake;
use Wsgate\Server;

/**
 * What a server says before a connection is a client: endpoints whose clients are told how they came in, handshakes and
 * requests that are decided when another client says so, and the words of refusals.
 */
function addDecisionEndpoints(Server $server, Closure $echo): void
{
    $server->endpoint('/protocols', new EndpointOptions(...AT_WILL, subprotocols: ['two', 'one']))
        ->onAccept(static function (Client $client): void {
            $client->sendText('protocol ' . ($client->getRequest()->getSubprotocol() ?: 'none'));
        });
    $server->endpoint('/rooms/:room/users/:user', new EndpointOptions(...AT_WILL))
        ->onAccept(static function (Client $client): void {
            $request = $client->getRequest();
            $client->sendText("room {$request->getParameter('room')} user {$request->getParameter('user')}"
                . " query {$request->getQuery()}");
        });
    $server->endpoint('/files/*', new EndpointOptions(...AT_WILL))->onAccept(static function (Client $client): void {
        $client->sendText("rest {$client->getRequest()->getParameter('*')}");
    });
    $server->endpoint('/origins', new EndpointOptions(...AT_WILL, origins: ORIGINS))->onMessage($echo);
    $server->endpoint('/same-host', new EndpointOptions(...AT_WILL, sameHost: true))->onMessage($echo);

    $deciders = $server->gateway();
    /** @var array<string, Handshake|Exchange> $questions the latest one of each name */
    $questions = [];
    $wait = static function (Handshake|Exchange $question) use (&$questions, $deciders): void {
        $name = $question->getRequest()->getQuery();
        $questions[$name] = $question;
        $deciders->broadcastText("wait $name");
    };
    $gone = static function (int $id) use (&$questions, $deciders): void {
        foreach ($questions as $name => $question) {
            if ($question instanceof Handshake && $question->getId() === $id) {
                $deciders->broadcastText("gone $name");
            }
        }
    };
    foreach (['/decide' => null, '/impatient' => 0.2] as $path => $timeout) {
        $server->endpoint($path, new EndpointOptions(...AT_WILL, handshakeTimeout: $timeout))
            ->onHandshake($wait, $gone)
            ->onAccept(static function (Client $client) use ($deciders): void {
                $name = $client->getRequest()->getQuery();
                $client->sendText("hello $name");
                $deciders->broadcastText("accept $name");
            })
            ->onMessage($echo)
            ->onClose(static function (Client $client) use ($deciders): void {
                $deciders->broadcastText("close {$client->getRequest()->getQuery()}");
            });
    }
    $server->endpoint('/decider', new EndpointOptions(...AT_WILL, gateway: $deciders))->onMessage(
        static function (Client $client, string $command) use (&$questions): void {
            [$verb, $name] = explode(' ', $command, 2);
            $question = $questions[$name];
            $done = match ($verb) {
                'accept' => $question->accept(lastOffered($question->getRequest()), ['set-cookie' => "name=$name"]),
                'login', 'redirect' => $question->reject(...REJECTIONS[$verb]),
                'answer' => $question->respond(...toldBack($question->getRequest())),
            };
            if (!$done) {
                $client->sendText("closed $name");
            }
        },
    );

    $server->onRequest(static function (Exchange $exchange) use ($wait): void {
        match ($exchange->getRequest()->getPath()) {
            '/api/later' => $wait($exchange),
            '/api/echo' => $exchange->respond(...toldBack($exchange->getRequest())),
            default => $exchange->respond(...refusal(404)),
        };
    });
    $server->onRefusal(static function (Exchange $exchange): void {
        $exchange->respond(...refusal($exchange->refusal));
    }, 10.0);
}
