#!/bin/sh
# php-callback-takeover-deflate-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/php-callback-broadcast.sh" "$@"
