#!/bin/sh
# websockets-deflate-echo.sh PORT
DEFLATE=shared exec "$(dirname "$0")/websockets-echo.sh" "$@"
