#!/bin/sh
# picows-broadcast.sh PORT
exec "$(dirname "$0")/run.sh" picows broadcast "$@"
