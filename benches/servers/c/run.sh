#!/bin/sh
# run.sh push|pull MODE PORT: compiles the program if it is older than what it is made of, and becomes it.
set -eu

name=$1
shift
sources=$(cd "$(dirname "$0")" && pwd)
. "$sources/../build.sh" # sets root and release

program=$root/target/servers/c-$name
newer=$(find "$sources" "$root/include/wsgate.h" -type f -newer "$program" 2>/dev/null || echo missing)
if [ ! -x "$program" ] || [ -n "$newer" ]; then
    mkdir -p "$root/target/servers"
    # Under a name of its own until it is complete: several of these scripts may start at once.
    ${CC:-cc} -std=c99 -O2 -Wall -Wextra -I"$root/include" -o "$program.$$" \
        "$sources/$name.c" "$sources/modes.c" "$sources/streams.c" "$sources/conformance.c" "$sources/decisions.c" "$sources/request.c" \
        -L"$release" -lwsgate -Wl,-rpath,"$release" -pthread >&2
    mv "$program.$$" "$program"
fi

exec "$program" "$@"
