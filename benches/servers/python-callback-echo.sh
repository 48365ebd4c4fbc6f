#!/bin/sh
# python-callback-echo.sh PORT
exec "$(dirname "$0")/python/run.sh" callback echo "$@"
