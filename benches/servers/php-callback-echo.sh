#!/bin/sh
# php-callback-echo.sh PORT
exec "$(dirname "$0")/php/run.sh" callback echo "$@"
