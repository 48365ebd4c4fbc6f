#!/bin/sh
# c-push-deflate-broadcast.sh PORT
DEFLATE=shared exec "$(dirname "$0")/c-push-broadcast.sh" "$@"
