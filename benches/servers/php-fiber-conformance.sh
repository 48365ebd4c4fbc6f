#!/bin/sh
# php-fiber-conformance.sh PORT; REVOLT names the sources of Revolt's event loop to run in
exec "$(dirname "$0")/php/run.sh" fiber conformance "$@"
