<?php

declare(strict_types=1);

namespace Wsgate;

/** Asks for permessage-deflate. This release does not compress: the endpoint logs that, and goes on without. */
final class Rfc7692CompressionFactory
{
}
