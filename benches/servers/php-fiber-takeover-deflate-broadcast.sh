#!/bin/sh
# php-fiber-takeover-deflate-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/php-fiber-broadcast.sh" "$@"
