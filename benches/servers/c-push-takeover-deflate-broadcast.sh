#!/bin/sh
# c-push-takeover-deflate-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/c-push-broadcast.sh" "$@"
