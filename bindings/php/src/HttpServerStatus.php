<?php

declare(strict_types=1);

namespace Wsgate;

enum HttpServerStatus
{
    case Starting;
    case Started;
    case Stopping;
    case Stopped;

    public function getLabel(): string
    {
        return $this->name;
    }
}
