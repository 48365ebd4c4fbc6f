#!/bin/sh
# python-callback-takeover-deflate-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/python-callback-echo.sh" "$@"
