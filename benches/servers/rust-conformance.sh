#!/bin/sh
# rust-conformance.sh PORT
exec "$(dirname "$0")/rust/run.sh" conformance "$@"
