#!/bin/sh
# php-fiber-deflate-broadcast.sh PORT
DEFLATE=shared exec "$(dirname "$0")/php-fiber-broadcast.sh" "$@"
