#!/bin/sh
# php-fiber-deflate-echo.sh PORT
DEFLATE=shared exec "$(dirname "$0")/php-fiber-echo.sh" "$@"
