#!/bin/sh
# c-push-broadcast.sh PORT
exec "$(dirname "$0")/c/run.sh" push broadcast "$@"
