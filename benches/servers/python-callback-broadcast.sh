#!/bin/sh
# python-callback-broadcast.sh PORT
exec "$(dirname "$0")/python/run.sh" callback broadcast "$@"
