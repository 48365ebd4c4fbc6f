#!/bin/sh
# c-pull-broadcast.sh PORT
exec "$(dirname "$0")/c/run.sh" pull broadcast "$@"
