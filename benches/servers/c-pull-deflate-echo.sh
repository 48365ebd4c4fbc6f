#!/bin/sh
# c-pull-deflate-echo.sh PORT
DEFLATE=shared exec "$(dirname "$0")/c-pull-echo.sh" "$@"
