#!/bin/sh
# python-callback-conformance.sh PORT
exec "$(dirname "$0")/python/run.sh" callback conformance "$@"
