<?php

declare(strict_types=1);

namespace Wsgate\Tests;

use RuntimeException;

/** A WebSocket client that shows every frame. */
final class RawClient
{
    public const TEXT = 1;
    public const BINARY = 2;
    public const CLOSE = 8;
    public const PING = 9;
    public const PONG = 10;

    private string $buffer = '';

    public string $response = '';

    /** How many pings were answered. */
    public int $pings = 0;

    /** @param resource $stream */
    private function __construct(private $stream)
    {
    }

    /** @param array<string, string> $headers */
    public static function connect(int $port, string $target = '/', array $headers = []): self
    {
        $client = self::request($port, $target, $headers);
        if (!str_starts_with($client->response, 'HTTP/1.1 101 ')) {
            throw new RuntimeException("not accepted: $client->response");
        }
        return $client;
    }

    /** @param array<string, string> $headers */
    public static function request(int $port, string $target, array $headers = []): self
    {
        $client = self::open($port, $target, $headers);
        $client->readResponse();
        return $client;
    }

    /**
     * Sends the handshake; its response is to be read.
     *
     * @param array<string, string> $headers
     */
    public static function open(int $port, string $target, array $headers = []): self
    {
        $stream = stream_socket_client("tcp://127.0.0.1:$port", $code, $message, 20);
        if ($stream === false) {
            throw new RuntimeException("cannot connect: $message");
        }
        stream_set_read_buffer($stream, 0);
        $request = "GET $target HTTP/1.1\r\nHost: 127.0.0.1:$port\r\nConnection: Upgrade\r\n"
            . "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        foreach ($headers as $name => $value) {
            $request .= "$name: $value\r\n";
        }
        fwrite($stream, "$request\r\n");
        return new self($stream);
    }

    public function readResponse(): void
    {
        $response = '';
        $deadline = new Deadline();
        while (($end = strpos($response, "\r\n\r\n")) === false) {
            $deadline->waitReadable($this->stream, 'the response');
            $bytes = fread($this->stream, 65536);
            if ($bytes === '' || $bytes === false) {
                throw new RuntimeException('closed before the response');
            }
            $response .= $bytes;
        }
        $this->response = substr($response, 0, $end);
        $this->buffer = substr($response, $end + 4);
    }

    /** The next bytes, as they are. */
    public function receiveBytes(int $length): string
    {
        return $this->read($length);
    }

    public function sendText(string $text): void
    {
        $this->write(self::frame(self::TEXT, $text));
    }

    public function sendBinary(string $data): void
    {
        $this->write(self::frame(self::BINARY, $data));
    }

    public function sendClose(int $code, string $reason = ''): void
    {
        $this->write(self::frame(self::CLOSE, pack('n', $code) . $reason));
    }

    /** Sends bytes as they are. */
    public function write(string $bytes): void
    {
        while ($bytes !== '') {
            $written = fwrite($this->stream, $bytes);
            if ($written === false || $written === 0) {
                throw new RuntimeException('the peer is gone');
            }
            $bytes = substr($bytes, $written);
        }
    }

    public static function frame(int $opcode, string $payload, bool $isLast = true): string
    {
        $opcode |= $isLast ? 0x80 : 0;
        $length = strlen($payload);
        $head = match (true) {
            $length < 126 => pack('CC', $opcode, 0x80 | $length),
            $length < 65536 => pack('CCn', $opcode, 0x80 | 126, $length),
            default => pack('CCJ', $opcode, 0x80 | 127, $length),
        };
        $mask = "\x12\x34\x56\x78";
        return $head . $mask . ($payload ^ str_repeat($mask, intdiv($length + 3, 4)));
    }

    /** @return array{int, string} the next message or control frame: opcode, payload; pings are answered on the way */
    public function receive(): array
    {
        $message = null;
        while (true) {
            [$opcode, $payload, $isLast] = $this->receiveFrame();
            if ($opcode === self::PING) {
                $this->pings++;
                $this->write(self::frame(self::PONG, $payload));
            } elseif ($opcode >= self::CLOSE) {
                return [$opcode, $payload];
            } elseif (($opcode === 0) !== ($message !== null)) {
                throw new RuntimeException('a fragment is out of place');
            } else {
                $message = [$message[0] ?? $opcode, ($message[1] ?? '') . $payload];
                if ($isLast) {
                    return $message;
                }
            }
        }
    }

    /** @return array{int, string, bool} the next message of a server without takeover: opcode, payload, whether it was compressed */
    public function receiveInflated(): array
    {
        $payload = '';
        $kind = null;
        do {
            [$first, $second] = array_values(unpack('C2', $this->read(2)));
            $kind ??= $first;
            $payload .= $this->read($this->length($second));
        } while (($first & 0x80) === 0);
        $isCompressed = ($kind & 0x40) !== 0;
        if ($isCompressed) {
            $payload = inflate_add(inflate_init(ZLIB_ENCODING_RAW), "$payload\0\0\xff\xff");
        }
        return [$kind & 0x0f, $payload, $isCompressed];
    }

    /** @return array{int, string, bool} the next frame: opcode, payload, whether it is the message's last */
    public function receiveFrame(): array
    {
        [$first, $second] = array_values(unpack('C2', $this->read(2)));
        if (($second & 0x80) !== 0 || ($first & 0x70) !== 0) {
            throw new RuntimeException('a server sent a masked frame, or reserved bits');
        }
        return [$first & 0x0f, $this->read($this->length($second)), ($first & 0x80) !== 0];
    }

    public function receiveText(): string
    {
        [$opcode, $payload] = $this->receive();
        if ($opcode !== self::TEXT) {
            throw new RuntimeException("expected a text, got opcode $opcode: " . bin2hex(substr($payload, 0, 64)));
        }
        return $payload;
    }

    /** @return array{int, string} code and reason of the Close frame that comes next; answers it, and hangs up */
    public function receiveClose(): array
    {
        [$opcode, $payload] = $this->receive();
        if ($opcode !== self::CLOSE) {
            throw new RuntimeException("expected Close, got opcode $opcode: " . substr($payload, 0, 200));
        }
        $this->write(self::frame(self::CLOSE, substr($payload, 0, 2)));
        $this->waitForEnd();
        return [$payload === '' ? 1005 : unpack('n', $payload)[1], substr($payload, 2)];
    }

    /** Closes from this side, and waits until the server has answered and the connection is at its end. */
    public function close(int $code = 1000, string $reason = ''): void
    {
        $this->sendClose($code, $reason);
        do {
            [$opcode] = $this->receive();
        } while ($opcode !== self::CLOSE);
        $this->waitForEnd();
    }

    /** Reads what is left, until the server ends the connection in whatever way; then hangs up, as browsers do. */
    public function waitForEnd(): void
    {
        $deadline = new Deadline();
        do {
            $deadline->waitReadable($this->stream, 'the end of the connection');
            $bytes = @fread($this->stream, 65536);
        } while ($bytes !== '' && $bytes !== false);
        fclose($this->stream);
    }

    /** Ends the connection without a Close frame. */
    public function cut(): void
    {
        fclose($this->stream);
    }

    /** A frame's, by its second byte, from which on it is read. */
    private function length(int $second): int
    {
        return match ($second) {
            126 => unpack('n', $this->read(2))[1],
            127 => unpack('J', $this->read(8))[1],
            default => $second,
        };
    }

    private function read(int $length): string
    {
        $deadline = new Deadline();
        while (strlen($this->buffer) < $length) {
            $deadline->waitReadable($this->stream, 'a frame');
            $bytes = fread($this->stream, max(65536, $length - strlen($this->buffer)));
            if ($bytes === '' || $bytes === false) {
                throw new RuntimeException('the connection ended where a frame should be');
            }
            $this->buffer .= $bytes;
        }
        $read = substr($this->buffer, 0, $length);
        $this->buffer = substr($this->buffer, $length);
        return $read;
    }
}
