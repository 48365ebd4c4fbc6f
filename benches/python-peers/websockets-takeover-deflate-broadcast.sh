#!/bin/sh
# websockets-takeover-deflate-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/websockets-broadcast.sh" "$@"
