#!/bin/sh
# venv.sh: makes .venv with the Python tools and libraries of the tests, and brings it up to date when their lists change.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
lists="bindings/python/requirements-test.txt tests/browser/requirements.txt"
# What tests are skipped without: installed where there is a wheel.
optional=bindings/python/requirements-optional.txt
# shellcheck disable=SC2086 # a list of words
wanted=$(cat $lists $optional | sha256sum)
[ "$(cat .venv/lists 2>/dev/null)" = "$wanted" ] && exit 0

if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
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
fi

install() {
    .venv/bin/pip install --quiet --disable-pip-version-check "$@"
}
# shellcheck disable=SC2046,SC2086 # lists of words
install $(printf -- '-r %s ' $lists)
while read -r package; do
    install --only-binary :all: "$package" >.venv/pip.log 2>&1 ||
        echo "$package is left out: $(tail -n 1 .venv/pip.log)"
done <$optional
rm -f .venv/pip.log
echo "$wanted" >.venv/lists
