<?php

declare(strict_types=1);

namespace Wsgate\Tests;

/** In the package's own loop. */
final class FiberTest extends FiberTestCase
{
}
