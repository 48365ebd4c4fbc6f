#!/bin/sh
# c-pull-deflate-broadcast.sh PORT
DEFLATE=shared exec "$(dirname "$0")/c-pull-broadcast.sh" "$@"
