<?php

declare(strict_types=1);

namespace Wsgate;

use IteratorAggregate;
use Stringable;
use Wsgate\Internal\WholePayload;

/**
 * The body of a request. It is there as a whole before the request is handled.
 *
 * @implements IteratorAggregate<int, string>
 */
final class RequestBody implements ReadableStream, IteratorAggregate, Stringable
{
    use WholePayload;

    public function __construct(string $data)
    {
        $this->data = $data;
    }
}
