#!/bin/sh
# rust-broadcast.sh PORT
exec "$(dirname "$0")/rust/run.sh" broadcast "$@"
