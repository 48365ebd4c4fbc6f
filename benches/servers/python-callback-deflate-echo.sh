#!/bin/sh
# python-callback-deflate-echo.sh PORT
DEFLATE=shared exec "$(dirname "$0")/python-callback-echo.sh" "$@"
