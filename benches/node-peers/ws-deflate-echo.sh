#!/bin/sh
# ws-deflate-echo.sh PORT
DEFLATE=shared exec "$(dirname "$0")/ws-echo.sh" "$@"
