#!/bin/sh
# rust-echo.sh PORT
exec "$(dirname "$0")/rust/run.sh" echo "$@"
