#!/bin/sh
# python-asyncio-takeover-deflate-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/python-asyncio-echo.sh" "$@"
