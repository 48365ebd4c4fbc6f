#!/bin/sh
# run.sh NAME MODE PORT: becomes the Python server of serve_NAME.py, in the environment with requirements.txt.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
name=$1
shift
export PYTHONPATH="$here"
exec "${PYTHON:-$here/../../.venv/bin/python}" -c \
    "import sys, serve_$name as server; server.run(sys.argv[1], int(sys.argv[2]))" "$@"
