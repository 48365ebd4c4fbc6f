<?php

declare(strict_types=1);

namespace Wsgate;

use Exception;

/** What goes wrong with a WebSocket connection. */
class WebsocketException extends Exception
{
}
