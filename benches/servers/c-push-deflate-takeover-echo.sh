#!/bin/sh
# c-push-deflate-takeover-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/c-push-echo.sh" "$@"
