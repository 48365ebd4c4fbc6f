#!/bin/sh
# php-callback-conformance.sh PORT
exec "$(dirname "$0")/php/run.sh" callback conformance "$@"
