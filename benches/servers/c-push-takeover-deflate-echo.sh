#!/bin/sh
# c-push-takeover-deflate-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/c-push-echo.sh" "$@"
