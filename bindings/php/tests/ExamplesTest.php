<?php

declare(strict_types=1);

namespace Wsgate\Tests;

final class ExamplesTest extends ServerTestCase
{
    private const EXAMPLES = __DIR__ . '/../../../examples';

    public function testChatSpeaksItsProtocol(): void
    {
        $server = $this->start(
            [self::EXAMPLES . '/php/chat.php', '127.0.0.1:0', self::EXAMPLES . '/public'],
            ['ORIGINS' => 'http://good.example,http://better.example'],
        );
        $port = $server->port();
        self::assertStringStartsWith(
            'HTTP/1.1 403 ',
            RawClient::request($port, '/chat', ['Origin' => 'http://evil.example'])->response,
        );

        $origin = ['Origin' => 'http://better.example'];
        $ann = RawClient::connect($port, '/chat?name=%C3%84nn%20%22A%22', $origin);
        self::assertSame('{"type":"welcome","name":"Änn \"A\"","people":["Änn \"A\""]}', $ann->receiveText());
        $guest = RawClient::connect($port, '/chat?name=%01%7F', $origin);
        self::assertSame(
            '{"type":"welcome","name":"guest-1","people":["Änn \"A\"","guest-1"]}',
            $guest->receiveText(),
        );
        self::assertSame('{"type":"join","name":"guest-1"}', $ann->receiveText());

        $ann->sendText('');
        $ann->sendText("a\n\\ \u{1F600}/");
        foreach ([$ann, $guest] as $client) {
            self::assertSame(
                '{"type":"say","name":"Änn \"A\"","text":"a\u000a\\\\ ' . "\u{1F600}" . '/"}',
                $client->receiveText(),
            );
        }
        $guest->sendBinary('x');
        self::assertSame([1003, 'text only'], $guest->receiveClose());
        self::assertSame('{"type":"leave","name":"guest-1"}', $ann->receiveText());

        $long = RawClient::connect($port, '/chat?name=' . str_repeat('%F0%9F%98%80', 33), $origin);
        $name = str_repeat("\u{1F600}", 32);
        self::assertSame(
            '{"type":"welcome","name":"' . $name . '","people":["Änn \"A\"","' . $name . '"]}',
            $long->receiveText(),
        );
        $invalid = RawClient::connect($port, '/chat?name=%FF', $origin);
        self::assertStringContainsString('"name":"guest-2"', $invalid->receiveText());

        self::assertSame("{\"type\":\"join\",\"name\":\"$name\"}", $ann->receiveText());
        self::assertSame('{"type":"join","name":"guest-2"}', $ann->receiveText());
        $ann->sendText(str_repeat('x', 2001));
        self::assertSame(1009, $ann->receiveClose()[0]);

        self::assertSame('{"type":"join","name":"guest-2"}', $long->receiveText());
        foreach ([$long, $invalid] as $client) {
            self::assertSame('{"type":"leave","name":"Änn \"A\""}', $client->receiveText());
        }
        $server->signal(SIGTERM);
        self::assertSame(1001, $long->receiveClose()[0]);
        self::assertSame(1001, $invalid->receiveClose()[0]);
        self::assertSame(0, $server->wait(), $server->errors());
    }

    public function testTheBroadcastServerIsThatOfAmphp(): void
    {
        $server = $this->start([self::EXAMPLES . '/php/broadcast.php', '127.0.0.1:0', self::EXAMPLES . '/public']);
        $port = $server->port();
        self::assertStringStartsWith('HTTP/1.1 403 ', RawClient::request($port, '/broadcast')->response);
        // With port 0 the program's own origins have that port.
        $origin = ['Origin' => 'http://127.0.0.1:0'];
        $clients = [RawClient::connect($port, '/broadcast', $origin), RawClient::connect($port, '/broadcast', $origin)];
        // The second one is in the gateway once it hears itself.
        $clients[1]->sendText('hello');
        $text = $clients[1]->receiveText();
        self::assertMatchesRegularExpression('/^\d+: hello$/D', $text);
        self::assertSame($text, $clients[0]->receiveText());
        self::assertSame(
            file_get_contents(self::EXAMPLES . '/public/index.html'),
            file_get_contents("http://127.0.0.1:$port/"),
        );
        $server->signal(SIGTERM);
        foreach ($clients as $client) {
            self::assertSame([1001, 'Server shutting down'], $client->receiveClose());
        }
        self::assertSame(0, $server->wait(), $server->errors());
        self::assertStringContainsString('Received signal ' . SIGTERM, $server->errors());
    }

    public function testTheProgramOfAmphpsReadmeRunsWithTheChangesThatOurReadmeShows(): void
    {
        $readme = (string) getenv('AMPHP_README');
        if ($readme === '') {
            self::markTestSkipped('skipped: no README of amphp/websocket-server');
        }
        // The last of its programs is the whole one; with port 0 both addresses get a port of the system's choice.
        self::assertGreaterThan(0, preg_match_all('/^```php\n(.*?)^```$/ms', file_get_contents($readme), $match));
        $program = strtr(end($match[1]), ['1337' => '0', '/../../vendor/autoload.php' => '/autoload.php']);
        self::assertSame(
            1,
            preg_match('/^```diff\n(.*?)^```$/ms', file_get_contents(__DIR__ . '/../README.md'), $match),
        );
        foreach (explode("@@\n", $match[1]) as $hunk) {
            $lines = static fn (string $sign): string => implode(
                array_map(static fn (string $line): string => substr($line, 1) . "\n", preg_grep("/^$sign/", explode("\n", $hunk))),
            );
            self::assertSame(1, substr_count($program, $lines('-')), $lines('-'));
            $program = str_replace($lines('-'), $lines('\+'), $program);
        }

        $directory = sys_get_temp_dir() . '/wsgate-amphp-' . bin2hex(random_bytes(8));
        mkdir("$directory/public", recursive: true);
        try {
            file_put_contents("$directory/program.php", $program);
            file_put_contents("$directory/public/index.html", 'a page');
            file_put_contents(
                "$directory/autoload.php",
                '<?php require ' . var_export(dirname(__DIR__) . '/autoload.php', true) . ';',
            );
            $server = $this->start(["$directory/program.php"]);
            while (preg_match('~Listening on http://127\.0\.0\.1:(\d+)/$~', $server->line(), $match) !== 1) {
                continue;
            }
            $port = (int) $match[1];
            self::assertSame('a page', file_get_contents("http://127.0.0.1:$port/"));
            self::assertStringStartsWith('HTTP/1.1 403 ', RawClient::request($port, '/broadcast')->response);
            $client = RawClient::connect($port, '/broadcast', ['Origin' => 'http://localhost:0']);
            $client->sendText('hello');
            self::assertStringEndsWith(': hello', $client->receiveText());
            $server->signal(SIGINT);
            self::assertSame([1001, 'Server shutting down'], $client->receiveClose());
            self::assertSame(0, $server->wait(), $server->errors());
            self::assertStringContainsString('Received signal ' . SIGINT, $server->rest());
        } finally {
            array_map(unlink(...), glob("$directory/{*.php,public/*}", GLOB_BRACE));
            rmdir("$directory/public");
            rmdir($directory);
        }
    }

    public function testOnlyWhoLogsInGetsIn(): void
    {
        $server = $this->start([self::EXAMPLES . '/php/auth.php', '127.0.0.1:0']);
        $port = $server->port();
        foreach ([[], ['Cookie' => 'token=eve'], ['Authorization' => 'Bearer eve']] as $headers) {
            $response = RawClient::request($port, '/', $headers);
            self::assertStringStartsWith('HTTP/1.1 401 ', $response->response);
            self::assertStringContainsStringIgnoringCase('content-type: application/json', $response->response);
            self::assertSame('{"error":"unknown token"}', $response->receiveBytes(25));
        }
        $ada = RawClient::connect($port, '/', ['Cookie' => 'x=1; token=ada']);
        self::assertSame('hello Ada Lovelace', $ada->receiveText());
        $grace = RawClient::connect($port, '/', ['Authorization' => 'Bearer grace']);
        self::assertSame('hello Grace Hopper', $grace->receiveText());
        $grace->sendText('echo');
        self::assertSame('echo', $grace->receiveText());
        self::assertSame(0, $server->stop(), $server->errors());
    }

    public function testTheProgramOfTheReadmeRuns(): void
    {
        $readme = file_get_contents(__DIR__ . '/../README.md');
        self::assertSame(1, preg_match('/^```php\n(.*?)^```$/ms', $readme, $match));
        $program = str_replace(
            ['vendor/autoload.php', '127.0.0.1:9001'],
            [dirname(__DIR__) . '/autoload.php', '127.0.0.1:0'],
            $match[1],
            $replaced,
        );
        self::assertSame(2, $replaced);
        $file = tempnam(sys_get_temp_dir(), 'wsgate-readme-');
        try {
            file_put_contents($file, $program);
            $server = $this->start([$file]);
            $client = RawClient::connect($server->port());
            self::assertSame('welcome', $client->receiveText());
            $client->sendText('hello');
            self::assertSame('hello', $client->receiveText());
            $client->close();
            self::assertSame(0, $server->stop(), $server->errors());
        } finally {
            unlink($file);
        }
    }
}
