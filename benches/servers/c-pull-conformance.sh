#!/bin/sh
# c-pull-conformance.sh PORT
exec "$(dirname "$0")/c/run.sh" pull conformance "$@"
