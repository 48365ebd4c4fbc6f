#!/bin/sh
# aiohttp-broadcast.sh PORT
exec "$(dirname "$0")/run.sh" aiohttp broadcast "$@"
