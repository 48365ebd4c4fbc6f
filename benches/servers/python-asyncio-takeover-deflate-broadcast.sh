#!/bin/sh
# python-asyncio-takeover-deflate-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/python-asyncio-broadcast.sh" "$@"
