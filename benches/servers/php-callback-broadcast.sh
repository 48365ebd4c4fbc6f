#!/bin/sh
# php-callback-broadcast.sh PORT
exec "$(dirname "$0")/php/run.sh" callback broadcast "$@"
