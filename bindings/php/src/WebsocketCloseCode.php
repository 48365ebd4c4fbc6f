<?php

declare(strict_types=1);

namespace Wsgate;

/** Close codes: RFC 6455 §7.4.1, and those registered since. */
final class WebsocketCloseCode
{
    public const NORMAL_CLOSE = 1000;
    public const GOING_AWAY = 1001;
    public const PROTOCOL_ERROR = 1002;
    public const UNACCEPTABLE_TYPE = 1003;
    /** The peer's Close frame had no code. */
    public const NONE = 1005;
    /** The connection ended without a Close frame. */
    public const ABNORMAL_CLOSE = 1006;
    public const INCONSISTENT_FRAME_DATA_TYPE = 1007;
    public const POLICY_VIOLATION = 1008;
    public const MESSAGE_TOO_LARGE = 1009;
    public const EXPECTED_EXTENSION_MISSING = 1010;
    public const UNEXPECTED_SERVER_ERROR = 1011;
    public const SERVICE_RESTARTING = 1012;
    public const TRY_AGAIN_LATER = 1013;
    public const BAD_GATEWAY = 1014;
    public const TLS_HANDSHAKE_FAILURE = 1015;

    private function __construct()
    {
    }

    /** The name of the constant with this code; null when there is none. */
    public static function getName(int $code): ?string
    {
        static $names = null;
        $names ??= array_flip((new \ReflectionClass(self::class))->getConstants());
        return $names[$code] ?? null;
    }

    /** Whether browsers close with this code in the normal course of things. */
    public static function isExpected(int $code): bool
    {
        return $code === self::NORMAL_CLOSE || $code === self::GOING_AWAY || $code === self::NONE;
    }
}
