<?php

declare(strict_types=1);

namespace Wsgate;

/** Turns compression on for an endpoint. */
final class Rfc7692CompressionFactory
{
    public function __construct(public readonly Compression $settings = new Compression())
    {
    }
}
