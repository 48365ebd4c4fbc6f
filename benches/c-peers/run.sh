#!/bin/sh
# run.sh NAME MODE PORT: compiles NAME.c with Debian's library of that name, if that is there, and becomes it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
name=$1
shift
if [ ! -e "/usr/include/$name.h" ]; then
    echo "no $name (apt-get install $name-dev)" >&2
    exit 1
fi
target=${CARGO_TARGET_DIR:-$here/../target}/c-peers
program=$target/$name
if [ ! -x "$program" ] || [ "$here/$name.c" -nt "$program" ]; then
    mkdir -p "$target"
    # Under a name of its own until it is complete: several of these scripts may start at once.
    ${CC:-cc} -std=c99 -O2 -Wall -Wextra -o "$program.$$" "$here/$name.c" "-l${name#lib}" >&2
    mv "$program.$$" "$program"
fi
exec "$program" "$@"
