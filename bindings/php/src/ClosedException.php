<?php

declare(strict_types=1);

namespace Wsgate;

/** Something was asked of a client that the program knows to be closed: Client::isClosed() is true. */
final class ClosedException extends WsgateException
{
}
