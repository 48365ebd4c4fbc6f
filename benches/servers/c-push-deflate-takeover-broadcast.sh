#!/bin/sh
# c-push-deflate-takeover-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/c-push-broadcast.sh" "$@"
