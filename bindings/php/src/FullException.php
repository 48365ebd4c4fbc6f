<?php

declare(strict_types=1);

namespace Wsgate;

/** A message was not taken, because this client does not keep up: Client::isFull() is true until onDrain. */
final class FullException extends WsgateException
{
}
