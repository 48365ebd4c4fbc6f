#!/bin/sh
# c-pull-takeover-deflate-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/c-pull-broadcast.sh" "$@"
