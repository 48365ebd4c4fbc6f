#!/bin/sh
# c-pull-takeover-deflate-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/c-pull-echo.sh" "$@"
