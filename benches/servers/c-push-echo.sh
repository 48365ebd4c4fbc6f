#!/bin/sh
# c-push-echo.sh PORT
exec "$(dirname "$0")/c/run.sh" push echo "$@"
