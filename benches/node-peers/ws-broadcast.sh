#!/bin/sh
# ws-broadcast.sh PORT
exec "$(dirname "$0")/run.sh" ws broadcast "$@"
