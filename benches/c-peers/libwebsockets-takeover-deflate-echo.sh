#!/bin/sh
# libwebsockets-takeover-deflate-echo.sh PORT
DEFLATE=takeover exec "$(dirname "$0")/libwebsockets-echo.sh" "$@"
