#!/bin/sh
# libwebsockets-echo.sh PORT
exec "$(dirname "$0")/run.sh" libwebsockets echo "$@"
