#!/bin/sh
# c-pull-stream-takeover-deflate-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/c-pull-stream-echo.sh" "$@"
