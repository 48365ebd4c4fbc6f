#!/bin/sh
# python-asyncio-deflate-broadcast.sh PORT
DEFLATE=shared exec "$(dirname "$0")/python-asyncio-broadcast.sh" "$@"
