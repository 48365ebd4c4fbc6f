#!/bin/sh
# python-asyncio-broadcast.sh PORT
exec "$(dirname "$0")/python/run.sh" coroutines broadcast "$@"
