#!/bin/sh
# websockets-takeover-deflate-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/websockets-echo.sh" "$@"
