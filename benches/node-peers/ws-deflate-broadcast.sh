#!/bin/sh
# ws-deflate-broadcast.sh PORT
DEFLATE=shared exec "$(dirname "$0")/ws-broadcast.sh" "$@"
