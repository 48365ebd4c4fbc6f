#!/bin/sh
# picows-echo.sh PORT
exec "$(dirname "$0")/run.sh" picows echo "$@"
