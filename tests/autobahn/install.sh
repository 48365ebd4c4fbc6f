#!/usr/bin/env bash
# install.sh [DIR]   (default: $AUTOBAHN_VENV, else .cache/autobahn in the project)
#
# Installs the Autobahn test suite in DIR, from PyPI alone, on a Python 2.7 that is
# already on the machine: $PYTHON27, or pyenv's, or python2.7 on the PATH.
# python3 (3.7 or later) is needed once, to make the environment.
# Does nothing when DIR holds these requirements already.
#
# Exit: 0 installed, 3 there is no Python 2.7, anything else the installation failed.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
dir=${1:-${AUTOBAHN_VENV:-$root/.cache/autobahn}}

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
exec 9>"$dir.lock"                                             # two suites may start at once
flock 9
stamp=$dir/installed-from
# the suite is run once, because an interpreter that has gone leaves the files in place
if cmp -s "$here/requirements-py27.txt" "$stamp" &&
    "$dir/bin/python" -m autobahntestsuite.wstest --autobahnversion >/dev/null 2>&1; then
    exit 0
fi

py27=
for p in "${PYTHON27:-}" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7.*/bin/python2.7 "$(command -v python2.7 || true)"; do
    if [ -n "$p" ] && "$p" -c 'import sys, zlib, ssl; assert sys.version_info[:2] == (2, 7)' 2>/dev/null; then
        py27=$p; break
    fi
done
[ -n "$py27" ] || { echo "install.sh: no Python 2.7 with zlib and ssl; set PYTHON27" >&2; exit 3; }

boot=$(mktemp -d)
trap 'rm -rf "$boot"' EXIT
rm -rf "$dir"
python3 -m venv "$boot/venv"
"$boot/venv/bin/pip" install -q 'virtualenv==20.21.1'          # the last line that can make a 2.7 environment
# downloads off: pip 20.3.4, setuptools and wheel for 2.7 are in virtualenv itself
export VIRTUALENV_OVERRIDE_APP_DATA="$boot/app"                # --app-data alone still makes ~/.local/share/virtualenv
"$boot/venv/bin/virtualenv" -q --no-download --copies -p "$py27" "$dir"

export PYTHONWARNINGS=ignore
pip() { "$dir/bin/python" -W ignore -m pip --disable-pip-version-check "$@" 2> >(grep -v DEPRECATION >&2); }
pip install -q --no-deps -r "$here/requirements-py27.txt"
# the C masker and UTF-8 validator; without a compiler the suite still runs, slower
pip install -q --no-deps wsaccel==0.6.6 || echo "install.sh: wsaccel not built; going on without it" >&2
"$dir/bin/python" -m autobahntestsuite.wstest --autobahnversion
cp "$here/requirements-py27.txt" "$stamp"
