#!/bin/sh
# python-asyncio-deflate-echo.sh PORT
DEFLATE=shared exec "$(dirname "$0")/python-asyncio-echo.sh" "$@"
