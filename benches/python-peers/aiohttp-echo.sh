#!/bin/sh
# aiohttp-echo.sh PORT
exec "$(dirname "$0")/run.sh" aiohttp echo "$@"
