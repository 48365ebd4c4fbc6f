#!/bin/sh
# c-pull-deflate-takeover-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/c-pull-broadcast.sh" "$@"
