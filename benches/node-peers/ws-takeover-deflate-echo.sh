#!/bin/sh
# ws-takeover-deflate-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/ws-echo.sh" "$@"
