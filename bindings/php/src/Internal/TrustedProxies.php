<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Wsgate\Forwarded;
use Wsgate\ForwardedHeaderType;
use Wsgate\InternetAddress;
use Wsgate\Request;
use Wsgate\SocketException;

/**
 * Reads what proxies tell, from proxies that are trusted alone.
 *
 * @internal
 */
final class TrustedProxies
{
    /** @var list<array{string, int}> network in network byte order, and how many bits of it count */
    private readonly array $networks;

    /**
     * @param list<string> $proxies addresses, or networks as `10.0.0.0/8`
     * @throws SocketException
     */
    public function __construct(private readonly ForwardedHeaderType $type, array $proxies)
    {
        $networks = [];
        foreach ($proxies as $proxy) {
            [$address, $bits] = explode('/', $proxy, 2) + [1 => null];
            $bytes = (new InternetAddress($address, 0))->getAddressBytes();
            $most = 8 * strlen($bytes);
            if ($bits !== null && (!ctype_digit($bits) || (int) $bits > $most)) {
                throw new SocketException("Invalid network: $proxy");
            }
            $networks[] = [$bytes, $bits === null ? $most : (int) $bits];
        }
        $this->networks = $networks;
    }

    /** Notes on a request what the proxies say of it. */
    public function read(Request $request): void
    {
        $remote = InternetAddress::tryFromString($request->getRemoteAddress());
        if ($remote === null || !$this->trusts($remote)) {
            return;
        }
        // The last hops are the nearest: the first one that is no proxy of ours is the client.
        foreach (array_reverse($this->hops($request)) as $fields) {
            $address = self::address($fields['for'] ?? '');
            if ($address === null) {
                return;
            }
            if (!$this->trusts($address)) {
                $request->setAttribute(Forwarded::class, new Forwarded($address, $fields));
                return;
            }
        }
    }

    private function trusts(InternetAddress $address): bool
    {
        $bytes = $address->getAddressBytes();
        foreach ($this->networks as [$network, $bits]) {
            if (strlen($network) === strlen($bytes) && self::prefix($network, $bits) === self::prefix($bytes, $bits)) {
                return true;
            }
        }
        return false;
    }

    private static function prefix(string $bytes, int $bits): string
    {
        $whole = intdiv($bits, 8);
        $rest = $bits % 8;
        return substr($bytes, 0, $whole) . ($rest === 0 ? '' : chr(ord($bytes[$whole]) & (0xff00 >> $rest)));
    }

    /** @return list<array<string, string>> the fields of each hop, the farthest first */
    private function hops(Request $request): array
    {
        if ($this->type === ForwardedHeaderType::XForwardedFor) {
            $addresses = explode(',', implode(',', $request->getHeaderArray('x-forwarded-for')));
            $more = array_filter([
                'proto' => $request->getHeader('x-forwarded-proto'),
                'host' => $request->getHeader('x-forwarded-host'),
            ]);
            return array_map(static fn (string $address): array => ['for' => trim($address)] + $more, $addresses);
        }
        $hops = [];
        foreach (explode(',', implode(',', $request->getHeaderArray('forwarded'))) as $hop) {
            preg_match_all('/([a-z]+)\s*=\s*("(?:[^"\\\\]|\\\\.)*"|[^;\s"]+)/i', $hop, $pairs, PREG_SET_ORDER);
            $fields = [];
            foreach ($pairs as [, $name, $value]) {
                $fields[strtolower($name)] = $value[0] === '"' ? stripslashes(substr($value, 1, -1)) : $value;
            }
            $hops[] = $fields;
        }
        return $hops;
    }

    private static function address(string $text): ?InternetAddress
    {
        try {
            return InternetAddress::tryFromString($text) ?? new InternetAddress($text, 0);
        } catch (SocketException) {
            return null;
        }
    }
}
