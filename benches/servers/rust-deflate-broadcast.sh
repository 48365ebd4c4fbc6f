#!/bin/sh
# rust-deflate-broadcast.sh PORT
DEFLATE=shared exec "$(dirname "$0")/rust-broadcast.sh" "$@"
