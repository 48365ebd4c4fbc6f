<?php

/*
 * How the -deflate- start scripts compress: every message, each for itself, or with takeover.
 */

declare(strict_types=1);

use Wsgate\Compression;

function deflate(): ?Compression
{
    $how = getenv('DEFLATE');
    $takeover = $how === 'takeover';
    return $how === false || $how === ''
        ? null
        : new Compression(serverTakeover: $takeover, clientTakeover: $takeover, threshold: 0);
}
