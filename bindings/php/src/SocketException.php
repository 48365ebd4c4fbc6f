<?php

declare(strict_types=1);

namespace Wsgate;

use Exception;

/** Something is no address. */
final class SocketException extends Exception
{
}
