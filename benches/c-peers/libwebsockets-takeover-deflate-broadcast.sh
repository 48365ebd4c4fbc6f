#!/bin/sh
# libwebsockets-takeover-deflate-broadcast.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/libwebsockets-broadcast.sh" "$@"
