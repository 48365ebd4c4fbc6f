#!/bin/sh
# dist.sh: the source archive builds and installs without a network and without anything that cargo fetched before.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)

make --no-print-directory -C "$root" dist >/dev/null
tar -xf "$root/target/dist/wsgate-$version.tar.xz" -C "$work"
cd "$work/wsgate-$version"

# Quick to build, not quick to run: what is looked at is whether everything is there.
export CARGO_HOME="$work/cargo" CARGO_NET_OFFLINE=true
export CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
nice make --no-print-directory build install PREFIX="$work/prefix" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
[ ! -d "$CARGO_HOME/registry/cache" ] || { echo "packaging: cargo fetched something" >&2; exit 1; }

export PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig"
# shellcheck disable=SC2046 # a list of words
"${CC:-cc}" -std=c99 tests/packaging/app.c -o "$work/app" $(pkg-config --cflags --libs wsgate)
said=$(LD_LIBRARY_PATH=$work/prefix/lib "$work/app")
[ "$said" = "wsgate $version: HTTP/1.1 101" ] || { echo "packaging: the program says '$said'" >&2; exit 1; }
echo "packaging: the source archive builds offline, installs, and its library serves"
