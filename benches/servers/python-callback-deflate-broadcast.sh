#!/bin/sh
# python-callback-deflate-broadcast.sh PORT
DEFLATE=shared exec "$(dirname "$0")/python-callback-broadcast.sh" "$@"
