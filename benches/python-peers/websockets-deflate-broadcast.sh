#!/bin/sh
# websockets-deflate-broadcast.sh PORT
DEFLATE=shared exec "$(dirname "$0")/websockets-broadcast.sh" "$@"
