<?php

declare(strict_types=1);

namespace Wsgate;

use Error;

/** A request has no attribute of this name. */
final class MissingAttributeError extends Error
{
}
