<?php

declare(strict_types=1);

use Wsgate\AllowOriginAcceptor;
use Wsgate\CancelledException;
use Wsgate\ClosureRequestHandler;
use Wsgate\ErrorHandler;
use Wsgate\HttpStatus;
use Wsgate\Request;
use Wsgate\Response;
use Wsgate\Rfc6455ClientFactory;
use Wsgate\Router;
use Wsgate\WebsocketAcceptor;
use Wsgate\WebsocketClient;
use Wsgate\WebsocketClientGateway;
use Wsgate\WebsocketClientHandler;

use function Wsgate\delay;

/** The words of refusals, ours and the library's. */
final class RefusalHandler implements ErrorHandler
{
    public function handleError(int $status, ?string $reason = null, ?Request $request = null): Response
    {
        return new Response(...refusal($status));
    }
}

/** Takes the first of its subprotocols that is offered. */
final class SubprotocolAcceptor implements WebsocketAcceptor
{
    /** @param list<string> $subprotocols */
    public function __construct(private readonly array $subprotocols)
    {
    }

    public function handleHandshake(Request $request): Response
    {
        $offered = array_map(trim(...), explode(',', implode(',', $request->getHeaderArray('sec-websocket-protocol'))));
        $agreed = array_values(array_intersect($this->subprotocols, $offered));
        $headers = $agreed === [] ? [] : ['sec-websocket-protocol' => $agreed[0]];
        return new Response(HttpStatus::SWITCHING_PROTOCOLS, $headers);
    }
}

/** Handshakes and requests that wait, each in a fiber, for what a client of /decider says of their names. */
final class Decisions implements WebsocketAcceptor
{
    /** @var array<string, string> what was said of each name; '' while it waits */
    private array $verdicts = [];

    public function __construct(private readonly WebsocketClientGateway $deciders)
    {
    }

    public function handleHandshake(Request $request): Response
    {
        $name = $request->getUri()->getQuery();
        try {
            $verdict = $this->await($request);
        } catch (CancelledException $e) {
            $this->verdicts[$name] = 'gone';
            $this->deciders->broadcastText("gone $name");
            throw $e;
        }
        if ($verdict !== 'accept') {
            return new Response(...REJECTIONS[$verdict]);
        }
        $headers = ['set-cookie' => "name=$name"];
        $offered = lastOffered($request);
        return new Response(
            HttpStatus::SWITCHING_PROTOCOLS,
            $offered === '' ? $headers : $headers + ['sec-websocket-protocol' => $offered],
        );
    }

    public function handleRequest(Request $request): Response
    {
        $this->await($request);
        return new Response(...toldBack($request));
    }

    public function command(WebsocketClient $decider, string $command): void
    {
        [$verb, $name] = explode(' ', $command, 2);
        if ($this->verdicts[$name] !== '') {
            $decider->sendText("closed $name");
        } else {
            $this->verdicts[$name] = $verb;
        }
    }

    private function await(Request $request): string
    {
        $name = $request->getUri()->getQuery();
        $this->verdicts[$name] = '';
        $this->deciders->broadcastText("wait $name");
        while ($this->verdicts[$name] === '') {
            delay(0.001, $request->getCancellation());
        }
        return $this->verdicts[$name];
    }
}

/**
 * The endpoints of decisions.php.
 *
 * @param Closure(string, Closure|WebsocketClientHandler, WebsocketAcceptor, Rfc6455ClientFactory): void $add
 */
function addFiberDecisionRoutes(Router $router, Closure $add, WebsocketClientHandler $echo, Closure $sendBack): void
{
    $add('/protocols', static function (WebsocketClient $client, Request $request, Response $response): void {
        $client->sendText('protocol ' . ($response->getHeader('sec-websocket-protocol') ?? 'none'));
        $client->receive();
    }, new SubprotocolAcceptor(['two', 'one']));
    $add('/rooms/{room}/users/{user}', static function (WebsocketClient $client, Request $request): void {
        ['room' => $room, 'user' => $user] = $request->getAttribute(Router::class);
        $client->sendText("room $room user $user query {$request->getUri()->getQuery()}");
        $client->receive();
    });
    $add('/files/{rest:.*}', static function (WebsocketClient $client, Request $request): void {
        $client->sendText("rest {$request->getAttribute(Router::class)['rest']}");
        $client->receive();
    });
    $add('/origins', $echo, new AllowOriginAcceptor(ORIGINS, new RefusalHandler()));
    $add('/same-host', $echo, new AllowOriginAcceptor([], new RefusalHandler(), sameHost: true));

    $deciders = new WebsocketClientGateway();
    $decisions = new Decisions($deciders);
    $decided = static function (WebsocketClient $client, Request $request) use ($deciders, $sendBack): void {
        $name = $request->getUri()->getQuery();
        $client->onClose(static fn () => $deciders->broadcastText("close $name"));
        $deciders->broadcastText("accept $name");
        $client->sendText("hello $name");
        foreach ($client as $message) {
            $sendBack($client, $message);
        }
    };
    $add('/decide', $decided, $decisions);
    $add('/impatient', $decided, $decisions, factory: clientsAtWill(handshakeTimeout: 0.2));
    $add('/decider', static function (WebsocketClient $client) use ($deciders, $decisions): void {
        $deciders->addClient($client);
        foreach ($client as $message) {
            $decisions->command($client, (string) $message);
        }
    });

    $router->setFallback(new ClosureRequestHandler(
        static fn (Request $request): Response => match ($request->getUri()->getPath()) {
            '/api/later' => $decisions->handleRequest($request),
            '/api/echo' => new Response(...toldBack($request)),
            default => new Response(...refusal(HttpStatus::NOT_FOUND)),
        },
    ));
}
