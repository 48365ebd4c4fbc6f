#!/bin/sh
# php-fiber-takeover-deflate-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/php-fiber-echo.sh" "$@"
