<?php

declare(strict_types=1);

namespace Wsgate;

/** The header in which a proxy says whom it forwards for. */
enum ForwardedHeaderType
{
    /** RFC 7239 */
    case Forwarded;
    case XForwardedFor;
}
