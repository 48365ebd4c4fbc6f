#!/bin/sh
# run.sh NAME MODE PORT: becomes the server of serve_NAME.mjs, with its npm package, which is installed when it is not there.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
name=$1
shift
modules=$("$here/../../tools/npm.sh" "$name")
exec node "$here/serve_$name.mjs" "$modules" "$@"
