#!/bin/sh
# c-push-stream-echo.sh PORT
exec "$(dirname "$0")/c/run.sh" push stream "$@"
