#!/bin/sh
# python-asyncio-conformance.sh PORT
exec "$(dirname "$0")/python/run.sh" coroutines conformance "$@"
