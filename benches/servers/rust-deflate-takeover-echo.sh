#!/bin/sh
# rust-deflate-takeover-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/rust-echo.sh" "$@"
