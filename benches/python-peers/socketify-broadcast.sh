#!/bin/sh
# socketify-broadcast.sh PORT
exec "$(dirname "$0")/run.sh" socketify broadcast "$@"
