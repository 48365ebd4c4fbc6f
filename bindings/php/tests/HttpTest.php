<?php

declare(strict_types=1);

namespace Wsgate\Tests;

use Error;
use PHPUnit\Framework\TestCase;
use Wsgate\AllowOriginAcceptor;
use Wsgate\CookieAttributes;
use Wsgate\Forwarded;
use Wsgate\ForwardedHeaderType;
use Wsgate\HttpStatus;
use Wsgate\Internal\RoutePattern;
use Wsgate\Internal\TrustedProxies;
use Wsgate\InternetAddress;
use Wsgate\MissingAttributeError;
use Wsgate\Request;
use Wsgate\Response;
use Wsgate\ResponseCookie;
use Wsgate\SocketException;
use Wsgate\WebsocketCloseCode;

/** Requests, responses, routes and addresses. */
final class HttpTest extends TestCase
{
    /** @param array<string, string> $headers */
    private static function request(array $headers = [], string $remote = '127.0.0.1:5000', string $body = ''): Request
    {
        $strings = ['GET', '/a%20b?x=1&y=%26', $remote, '127.0.0.1:80', ''];
        $lengths = array_map(strlen(...), $strings);
        $pairs = [];
        foreach ($headers as $name => $value) {
            array_push($pairs, strlen($name), strlen($value));
            array_push($strings, $name, $value);
        }
        return Request::decode(
            pack('V*', count($headers), ...$lengths, ...[0, strlen($body)], ...$pairs) . implode('', $strings) . $body,
        );
    }

    public function testARequestIsRead(): void
    {
        $request = self::request(['Host' => 'Example.org:8080', 'Cookie' => 'a=1; b="2"; a=3; c'], body: 'content');
        self::assertSame('http://Example.org:8080/a%20b?x=1&y=%26', (string) $request->getUri());
        self::assertSame(['example.org', 8080], [$request->getUri()->getHost(), $request->getUri()->getPort()]);
        self::assertSame('&', $request->getQueryParameter('y'));
        self::assertSame('1', $request->getCookie('a')->getValue());
        self::assertSame('2', $request->getCookie('b')->getValue());
        self::assertNull($request->getCookie('c'));
        self::assertSame('content', $request->getBody()->buffer());
        self::assertSame(['a=1; b="2"; a=3; c'], $request->getHeaderArray('COOKIE'));
        $request->setAttribute('user', null);
        self::assertTrue($request->hasAttribute('user'));
        self::assertNull($request->getAttribute('user'));
        $this->expectException(MissingAttributeError::class);
        $request->getAttribute('other');
    }

    /** @return list<array{list<string>, string, string, bool}> */
    public static function origins(): array
    {
        return [
            [['https://example.org'], 'https://Example.org', 'x', true],
            [['https://example.org'], 'https://www.example.org', 'x', false],
            [['https://*.example.org'], 'https://a.b.example.ORG', 'x', true],
            [['https://*.example.org'], 'http://www.example.org', 'x', false],
            [['https://*.example.org'], 'https://example.org', 'x', false],
            [['https://*.example.org'], 'https://.example.org', 'x', false],
            [['https://*.example.org'], 'https://evilexample.org', 'x', false],
            [['https://*.example.org'], 'https://www.example.org:8443', 'x', false],
            [['*.example.org'], 'http://www.example.org', 'x', true],
            [['*.example.org'], 'www.example.org', 'x', false],
            [['*.example.org'], 'null', 'x', false],
            [[], 'http://here.org', 'here.org', true],
            [[], 'https://here.org', 'here.org:443', true],
            [[], 'http://here.org:8080', 'Here.org:8080', true],
            [[], 'http://here.org:8080', 'here.org', false],
            [[], 'null', 'null', false],
        ];
    }

    /**
     * @dataProvider origins
     * @param list<string> $allowed
     */
    public function testOriginsAreAllowedByNameByPatternAndByHost(array $allowed, string $origin, string $host, bool $good): void
    {
        $acceptor = new AllowOriginAcceptor($allowed, sameHost: $allowed === []);
        $headers = ['upgrade' => 'websocket', 'origin' => $origin, 'host' => $host];
        self::assertSame($good ? 101 : 403, $acceptor->handleHandshake(self::request($headers))->getStatus());
    }

    public function testAResponseHasHeadersAndCookies(): void
    {
        $response = new Response(HttpStatus::CREATED, ['X-A' => '1'], 'body');
        $response->addHeader('x-a', ['2', '3']);
        self::assertSame(['x-a' => ['1', '2', '3']], $response->getHeaders());
        $attributes = CookieAttributes::default()->withPath('/')->withMaxAge(60)->withSecure()
            ->withSameSite(CookieAttributes::SAMESITE_LAX);
        $response->setCookie(new ResponseCookie('a', 'b', $attributes));
        $response->setCookie(new ResponseCookie('c'));
        self::assertSame('a=b; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax', $response->getHeader('set-cookie'));
        $response->removeCookie('a');
        self::assertSame(['c=; HttpOnly'], $response->getHeaderArray('set-cookie'));
        self::assertSame('Created', $response->getReason());
    }

    /** @dataProvider badHeaders */
    public function testABadHeaderIsRefused(string $name, string $value): void
    {
        $this->expectException(Error::class);
        (new Response())->setHeader($name, $value);
    }

    /** @return iterable<array{string, string}> */
    public static function badHeaders(): iterable
    {
        yield ['', 'x'];
        yield ["x\n", 'x'];
        yield ['x:', 'x'];
        yield ['x', "a\r\nb"];
        yield ['x', "a\0"];
    }

    /** @dataProvider routes */
    public function testARouteMatches(string $route, string $path, ?array $expected): void
    {
        $found = null;
        foreach (RoutePattern::parse($route) as $pattern) {
            $found ??= $pattern->match($path);
        }
        self::assertSame($expected, $found);
    }

    /** @return iterable<array{string, string, array<string, string>|null}> */
    public static function routes(): iterable
    {
        yield ['/users', '/users', []];
        yield ['/users', '/users/', null];
        yield ['/users/{id}', '/users/a', ['id' => 'a']];
        yield ['/users/{id}', '/users/a/b', null];
        yield ['/users/{id:\d+}', '/users/12', ['id' => '12']];
        yield ['/users/{id:\d+}', '/users/a', null];
        yield ['/users/{id:\d{2,3}}', '/users/12', ['id' => '12']];
        yield ['/files/{path:.*}', '/files/a/b~c', ['path' => 'a/b~c']];
        yield ['/a[/{b}[/{c:[0-9]+}]]', '/a', []];
        yield ['/a[/{b}[/{c:[0-9]+}]]', '/a/x', ['b' => 'x']];
        yield ['/a[/{b}[/{c:[0-9]+}]]', '/a/x/7', ['b' => 'x', 'c' => '7']];
        yield ['/a.b', '/aXb', null];
        yield ['/{first}-{second-name}', '/x-y', ['first' => 'x', 'second-name' => 'y']];
    }

    /** @dataProvider endpoints */
    public function testARouteHasAnEndpointThatTakesItsPaths(string $route, array $expected): void
    {
        $endpoints = array_map(static fn (RoutePattern $pattern): string => $pattern->endpoint, RoutePattern::parse($route));
        self::assertSame($expected, $endpoints);
    }

    /** @return iterable<array{string, list<string>}> */
    public static function endpoints(): iterable
    {
        yield ['/', ['/']];
        yield ['/a/b', ['/a/b']];
        yield ['/rooms/{room}', ['/rooms/:p1']];
        yield ['/rooms/{room}/x', ['/rooms/:p1/x']];
        yield ['/rooms/{room:\d+}', ['/rooms/*']];
        yield ['/rooms/r{room}', ['/rooms/*']];
        yield ['/rooms[/{room}]', ['/rooms', '/rooms/:p1']];
    }

    public function testAnUnclosedOptionalPartIsRefused(): void
    {
        $this->expectException(Error::class);
        RoutePattern::parse('/a[/b]/c');
    }

    /** @dataProvider proxies */
    public function testTrustedProxiesTellWhoAsks(
        ForwardedHeaderType $type,
        string $remote,
        array $headers,
        ?string $expected,
    ): void {
        $request = self::request($headers, $remote);
        (new TrustedProxies($type, ['10.0.0.0/12', '2001:db8::/33', '192.0.2.1']))->read($request);
        $for = $request->hasAttribute(Forwarded::class) ? $request->getAttribute(Forwarded::class)->getFor() : null;
        self::assertSame($expected, $for?->getAddress());
    }

    /** @return iterable<array{ForwardedHeaderType, string, array<string, string>, string|null}> */
    public static function proxies(): iterable
    {
        $x = ForwardedHeaderType::XForwardedFor;
        $f = ForwardedHeaderType::Forwarded;
        yield [$x, '10.15.0.1:1', ['X-Forwarded-For' => '198.51.100.1, 203.0.113.7'], '203.0.113.7'];
        yield [$x, '10.15.0.1:1', ['X-Forwarded-For' => '203.0.113.7, 192.0.2.1'], '203.0.113.7'];
        yield [$x, '10.16.0.1:1', ['X-Forwarded-For' => '203.0.113.7'], null];
        yield [$x, '[2001:db8:7fff::1]:1', ['X-Forwarded-For' => '2001:db8:8000::1'], '2001:db8:8000::1'];
        yield [$x, '10.0.0.1:1', ['X-Forwarded-For' => 'unknown'], null];
        yield [$x, '10.0.0.1:1', ['Forwarded' => 'for=203.0.113.7'], null];
        yield [$f, '10.0.0.1:1', ['Forwarded' => 'for=198.51.100.1, For="[2001:db8:8000::1]:99";proto=https'], '2001:db8:8000::1'];
        yield [$f, '10.0.0.1:1', ['Forwarded' => 'for=203.0.113.7:80;host=x, for=192.0.2.1'], '203.0.113.7'];
        yield [$f, '10.0.0.1:1', ['Forwarded' => 'for=_hidden'], null];
        yield [$f, '10.0.0.1:1', [], null];
    }

    public function testAddressesAreChecked(): void
    {
        self::assertSame('[::1]:80', (string) new InternetAddress('[::1]', 80));
        self::assertSame('::1', InternetAddress::fromString('[::1]:80')->getAddress());
        self::assertNull(InternetAddress::tryFromString('localhost:80'));
        foreach ([['256.0.0.1', 80], ['127.0.0.1', 65536], ['x', 1]] as [$address, $port]) {
            try {
                new InternetAddress($address, $port);
                self::fail("$address:$port was taken");
            } catch (SocketException) {
                $this->addToAssertionCount(1);
            }
        }
    }

    public function testCloseCodesHaveNames(): void
    {
        self::assertSame('GOING_AWAY', WebsocketCloseCode::getName(1001));
        self::assertNull(WebsocketCloseCode::getName(1004));
        self::assertNull(WebsocketCloseCode::getName(4000));
        self::assertTrue(WebsocketCloseCode::isExpected(1005));
        self::assertFalse(WebsocketCloseCode::isExpected(1006));
    }
}
