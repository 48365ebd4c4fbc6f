#!/bin/sh
# c-pull-stream-echo.sh PORT
exec "$(dirname "$0")/c/run.sh" pull stream "$@"
