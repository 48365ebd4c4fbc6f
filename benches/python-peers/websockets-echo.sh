#!/bin/sh
# websockets-echo.sh PORT
exec "$(dirname "$0")/run.sh" websockets echo "$@"
