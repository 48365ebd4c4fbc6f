#!/bin/sh
# c-pull-echo.sh PORT
exec "$(dirname "$0")/c/run.sh" pull echo "$@"
