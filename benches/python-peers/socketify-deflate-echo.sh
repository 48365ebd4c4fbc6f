#!/bin/sh
# socketify-deflate-echo.sh PORT
DEFLATE=shared exec "$(dirname "$0")/socketify-echo.sh" "$@"
