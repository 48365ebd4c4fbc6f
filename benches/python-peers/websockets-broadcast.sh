#!/bin/sh
# websockets-broadcast.sh PORT
exec "$(dirname "$0")/run.sh" websockets broadcast "$@"
