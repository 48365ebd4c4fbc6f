#!/bin/sh
# c-pull-deflate-takeover-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/c-pull-echo.sh" "$@"
