<?php

declare(strict_types=1);

namespace Wsgate\Internal;

use Wsgate\ClosedException;
use Wsgate\Status;
use Wsgate\WsgateException;

/**
 * How handshakes and requests are answered.
 *
 * @internal
 */
final class Answer
{
    /**
     * @param array<string, string|list<string>> $headers
     * @return bool false when there is nobody to be answered any more
     */
    public static function respond(
        Outgoing $outgoing,
        string $function,
        int $id,
        int $status,
        array $headers,
        string $body,
    ): bool {
        $fields = self::fields($headers);
        // The parameter has 32 bits: FFI would cut a larger number down to one that may be good.
        $status = max(0, min($status, 0xffffffff));
        return self::give(
            $outgoing,
            $function,
            [$id, $status, $fields, strlen($fields), $body, strlen($body)],
        );
    }

    /** @param list<mixed> $arguments */
    public static function give(Outgoing $outgoing, string $function, array $arguments): bool
    {
        try {
            $outgoing->call($function, ...$arguments);
            return true;
        } catch (ClosedException) {
            return false;
        }
    }

    /**
     * Headers as the library takes them: each name and each value with a NUL behind it.
     *
     * @param array<string, string|list<string>> $headers
     */
    public static function fields(array $headers): string
    {
        $fields = '';
        foreach ($headers as $name => $values) {
            foreach ((array) $values as $value) {
                // The library looks at everything else; but a NUL would begin another header.
                if (str_contains($name . $value, "\0")) {
                    throw new WsgateException(Status::Invalid, "the header $name has a NUL in it");
                }
                $fields .= "$name\0$value\0";
            }
        }
        return $fields;
    }
}
