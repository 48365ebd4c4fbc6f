#!/bin/sh
# ws-echo.sh PORT
exec "$(dirname "$0")/run.sh" ws echo "$@"
