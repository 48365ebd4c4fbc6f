#!/bin/sh
# rust-deflate-echo.sh PORT
DEFLATE=shared exec "$(dirname "$0")/rust-echo.sh" "$@"
