#!/bin/sh
# venv.sh: makes .venv with the Python tools and libraries of the tests, again when their lists change.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
lists="bindings/python/requirements-test.txt tests/browser/requirements.txt"
# shellcheck disable=SC2086 # a list of words
wanted=$(cat $lists | sha256sum)
[ "$(cat .venv/lists 2>/dev/null)" = "$wanted" ] && exit 0

python=
for candidate in "${PYTHON:-}" python3 python3.11 python3.12 python3.13; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; assert sys.version_info >= (3, 11)' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "missing: Python 3.11 or later (set PYTHON)" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    tools/packages.sh no-ensurepip:python3-venv
fi
rm -rf .venv
"$python" -m venv .venv
# shellcheck disable=SC2086 # a list of words
.venv/bin/pip install --quiet --disable-pip-version-check $(printf -- '-r %s ' $lists)
echo "$wanted" >.venv/lists
