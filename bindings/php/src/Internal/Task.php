<?php

declare(strict_types=1);

namespace Wsgate\Internal;

/**
 * Something that is to run soon: a fiber that goes on, or a job that begins.
 *
 * @internal
 */
interface Task
{
    public function run(): void;
}
