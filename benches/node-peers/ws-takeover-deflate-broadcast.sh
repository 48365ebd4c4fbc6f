#!/bin/sh
# ws-takeover-deflate-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/ws-broadcast.sh" "$@"
