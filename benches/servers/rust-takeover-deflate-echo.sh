#!/bin/sh
# rust-takeover-deflate-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/rust-echo.sh" "$@"
