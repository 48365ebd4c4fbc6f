#!/bin/sh
# php-callback-deflate-echo.sh PORT
DEFLATE=shared exec "$(dirname "$0")/php-callback-echo.sh" "$@"
