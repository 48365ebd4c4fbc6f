#!/bin/sh
# php-callback-deflate-broadcast.sh PORT
DEFLATE=shared exec "$(dirname "$0")/php-callback-broadcast.sh" "$@"
