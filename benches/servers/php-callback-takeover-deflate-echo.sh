#!/bin/sh
# php-callback-takeover-deflate-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/php-callback-echo.sh" "$@"
