#!/bin/sh
# python-asyncio-echo.sh PORT
exec "$(dirname "$0")/python/run.sh" coroutines echo "$@"
