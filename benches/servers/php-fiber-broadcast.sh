#!/bin/sh
# php-fiber-broadcast.sh PORT; REVOLT names the sources of Revolt's event loop to run in
exec "$(dirname "$0")/php/run.sh" fiber broadcast "$@"
