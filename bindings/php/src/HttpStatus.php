<?php

declare(strict_types=1);

namespace Wsgate;

/** HTTP status codes. */
final class HttpStatus
{
    public const SWITCHING_PROTOCOLS = 101;
    public const OK = 200;
    public const CREATED = 201;
    public const ACCEPTED = 202;
    public const NO_CONTENT = 204;
    public const MOVED_PERMANENTLY = 301;
    public const FOUND = 302;
    public const SEE_OTHER = 303;
    public const NOT_MODIFIED = 304;
    public const TEMPORARY_REDIRECT = 307;
    public const PERMANENT_REDIRECT = 308;
    public const BAD_REQUEST = 400;
    public const UNAUTHORIZED = 401;
    public const FORBIDDEN = 403;
    public const NOT_FOUND = 404;
    public const METHOD_NOT_ALLOWED = 405;
    public const NOT_ACCEPTABLE = 406;
    public const REQUEST_TIMEOUT = 408;
    public const CONFLICT = 409;
    public const GONE = 410;
    public const PAYLOAD_TOO_LARGE = 413;
    public const UNSUPPORTED_MEDIA_TYPE = 415;
    public const UNPROCESSABLE_ENTITY = 422;
    public const UPGRADE_REQUIRED = 426;
    public const TOO_MANY_REQUESTS = 429;
    public const INTERNAL_SERVER_ERROR = 500;
    public const NOT_IMPLEMENTED = 501;
    public const BAD_GATEWAY = 502;
    public const SERVICE_UNAVAILABLE = 503;
    public const GATEWAY_TIMEOUT = 504;
    public const HTTP_VERSION_NOT_SUPPORTED = 505;

    private function __construct()
    {
    }

    /** The code in words; empty for one that has no constant here. */
    public static function getReason(int $status): string
    {
        static $names = null;
        $names ??= array_flip((new \ReflectionClass(self::class))->getConstants());
        return match ($status) {
            self::OK => 'OK',
            self::HTTP_VERSION_NOT_SUPPORTED => 'HTTP Version Not Supported',
            default => ucwords(strtolower(strtr($names[$status] ?? '', '_', ' '))),
        };
    }
}
