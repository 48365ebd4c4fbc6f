<?php

/*
 * What the conformance servers of both layers say: the endpoints themselves differ by the layer, their words do not.
 */

declare(strict_types=1);

use Wsgate\Request;

/** Of /origins. */
const ORIGINS = ['https://one.example', '*.many.example', 'https://*.safe.example'];

/** What a decider may have a handshake answered with. */
const REJECTIONS = [
    'login' => [
        401,
        ['content-type' => 'application/json', 'www-authenticate' => 'Bearer realm="conformance"'],
        '{"error":"log in first"}',
    ],
    'redirect' => [302, ['location' => '/echo'], ''],
];

/**
 * What a command of /room does: 'send' to who gave it, 'all', 'others' and 'bytes' to the room, 'leave' and 'join'.
 *
 * @return iterable<array{string, string}> each with its text
 */
function roomActions(string $command): iterable
{
    [$verb, $rest] = explode(' ', $command, 2) + [1 => null];
    switch ([$verb, $rest !== null]) {
        case ['all', true]:
        case ['others', true]:
        case ['bytes', true]:
            yield [$verb, $rest];
            break;
        case ['order', true]:
            for ($i = 1; $i <= (int) $rest; $i++) {
                yield ['send', "d $i"];
                yield ['all', "b $i"];
            }
            break;
        case ['leave', false]:
            yield ['leave', ''];
            yield ['send', 'left'];
            break;
        case ['join', false]:
            yield ['join', ''];
            yield ['send', 'joined'];
            break;
        default:
            yield ['send', 'what?'];
    }
}

/** The words of a refusal: status, headers, body. */
function refusal(int $status): array
{
    return [$status, ['content-type' => 'application/json'], "{\"refused\":$status}"];
}

/** The answer to a plain request that tells what it was asked: status, headers, body. */
function toldBack(Request $request): array
{
    $text = "{$request->getMethod()} {$request->getTarget()}\n{$request->getBody()->buffer()}";
    return [200, ['content-type' => 'text/plain'], $text];
}

/** The last one of those that a handshake offers; '' when there is none. */
function lastOffered(Request $request): string
{
    $offered = array_map(trim(...), explode(',', implode(',', $request->getHeaderArray('sec-websocket-protocol'))));
    return end($offered);
}
