<?php

declare(strict_types=1);

namespace Wsgate\Tests;

/** Each message may say whether it is compressed; in the layer of callbacks. */
final class CompressTest extends ServerTestCase
{
    use CompressTests;

    /** @return array{ServerProcess, int} */
    protected function serveCompressed(): array
    {
        $server = $this->program('compress');
        return [$server, $server->port()];
    }
}
