#!/bin/sh
# rust-deflate-takeover-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/rust-broadcast.sh" "$@"
