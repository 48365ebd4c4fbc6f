#!/bin/sh
# c-push-stream-deflate-echo.sh PORT
DEFLATE=shared exec "$(dirname "$0")/c-push-stream-echo.sh" "$@"
