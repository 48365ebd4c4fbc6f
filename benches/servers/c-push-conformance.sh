#!/bin/sh
# c-push-conformance.sh PORT
exec "$(dirname "$0")/c/run.sh" push conformance "$@"
