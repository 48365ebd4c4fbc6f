#!/bin/sh
# libwebsockets-broadcast.sh PORT
exec "$(dirname "$0")/run.sh" libwebsockets broadcast "$@"
