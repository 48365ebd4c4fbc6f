#!/bin/sh
# c-push-deflate-echo.sh PORT
DEFLATE=shared exec "$(dirname "$0")/c-push-echo.sh" "$@"
