#!/bin/sh
# socketify-deflate-broadcast.sh PORT
DEFLATE=shared exec "$(dirname "$0")/socketify-broadcast.sh" "$@"
