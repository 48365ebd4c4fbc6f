#!/bin/sh
# socketify-echo.sh PORT
exec "$(dirname "$0")/run.sh" socketify echo "$@"
