#!/bin/sh
# rust-takeover-deflate-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/rust-broadcast.sh" "$@"
