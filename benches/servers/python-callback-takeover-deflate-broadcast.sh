#!/bin/sh
# python-callback-takeover-deflate-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/python-callback-broadcast.sh" "$@"
