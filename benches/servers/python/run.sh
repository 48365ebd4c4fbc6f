#!/bin/sh
# run.sh callback MODE PORT: becomes the Python server.
set -eu

program=$1
shift
sources=$(cd "$(dirname "$0")" && pwd)
. "$sources/../build.sh"

export PYTHONPATH="$sources/../../../bindings/python/src"
exec "${PYTHON:-python3}" "$sources/$program.py" "$@"
