#!/bin/sh
# install.sh: what `make install` puts into a prefix is enough to build and run a program: by pkg-config, shared and
# static, and by CMake. And it is what it should be: symbols, SONAME, size.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/packaging
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-cc}
warnings="-std=c99 -Wall -Wextra -Wpedantic -Werror"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)

fail() {
    echo "packaging: $*" >&2
    exit 1
}
expect() { # WHAT GOT WANTED
    [ "$2" = "$3" ] || fail "$1 is '$2', expected '$3'"
}
runs() { # WHAT COMMAND...
    what=$1
    shift
    expect "what the program built $what says" "$("$@")" "wsgate $version: HTTP/1.1 101"
    echo "packaging: built $what, and it runs"
}
needs() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(libwsgate.*\)\]/\1/p'; }

prefix=$work/prefix
make --no-print-directory -C "$root" install PREFIX="$prefix" >/dev/null
lib=$prefix/lib

# ---- what is there
expect "the list of files" "$(cd "$prefix" && find . ! -type d | sort | tr '\n' ' ')" \
    "./include/wsgate.h ./lib/cmake/wsgate/wsgateConfig.cmake ./lib/cmake/wsgate/wsgateConfigVersion.cmake \
./lib/libwsgate.a ./lib/libwsgate.so ./lib/libwsgate.so.0 ./lib/libwsgate.so.$version ./lib/pkgconfig/wsgate.pc "
expect "the link for programs" "$(readlink -f "$lib/libwsgate.so.0")" "$lib/libwsgate.so.$version"
expect "the link for linkers" "$(readlink -f "$lib/libwsgate.so")" "$lib/libwsgate.so.$version"
expect "SONAME" "$(readelf -d "$lib/libwsgate.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')" libwsgate.so.0
for symbols in "nm -D --defined-only $lib/libwsgate.so" "nm -g --defined-only $lib/libwsgate.a"; do
    names=$($symbols | awk 'NF == 3 { print $3 }')
    echo "$names" | grep -q '^wsgate_server_new$' || fail "$symbols: no wsgate_server_new"
    ! echo "$names" | grep -v '^wsgate_' || fail "$symbols: not wsgate_*"
done
size=$(stat -c %s "$lib/libwsgate.so.$version")
[ "$size" -le $((6 * 1024 * 1024)) ] || fail "libwsgate.so has $size bytes, over 6 MiB"
echo "packaging: libwsgate.so $size bytes, libwsgate.a $(stat -c %s "$lib/libwsgate.a")"

# ---- pkg-config
export PKG_CONFIG_PATH="$lib/pkgconfig"
expect "the version by pkg-config" "$(pkg-config --modversion wsgate)" "$version"
# shellcheck disable=SC2046,SC2086 # lists of words
$cc $warnings "$here/app.c" -o "$work/shared" $(pkg-config --cflags --libs wsgate)
expect "what the shared program needs" "$(needs "$work/shared")" libwsgate.so.0
runs "by pkg-config" env LD_LIBRARY_PATH="$lib" "$work/shared"

# glibc says that a static getaddrinfo wants its own shared library when it runs: nothing here resolves names.
# shellcheck disable=SC2046,SC2086 # lists of words
$cc $warnings "$here/app.c" -o "$work/static" -static $(pkg-config --static --cflags --libs wsgate) 2>"$work/log" ||
    { cat "$work/log" >&2; fail "no static program"; }
! readelf -d "$work/static" | grep -q NEEDED || fail "the static program needs shared libraries"
runs "by pkg-config --static" "$work/static"

# Static for this library alone.
mkdir "$work/only-static"
ln -s "$lib/libwsgate.a" "$work/only-static"
# shellcheck disable=SC2046,SC2086 # lists of words
$cc $warnings "$here/app.c" -o "$work/partly" -L"$work/only-static" $(pkg-config --static --cflags --libs wsgate)
expect "what the partly static program needs of wsgate" "$(needs "$work/partly")" ""
runs "with the static library and a shared libc" "$work/partly"

# ---- CMake
cmake -S "$here" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_FLAGS="$warnings" >"$work/log" 2>&1 &&
    cmake --build "$work/cmake" >>"$work/log" 2>&1 || { cat "$work/log" >&2; fail "CMake"; }
expect "what CMake's program needs" "$(needs "$work/cmake/app-wsgate")" libwsgate.so.0
runs "by CMake" "$work/cmake/app-wsgate"
runs "by CMake, static" "$work/cmake/app-static"

# ---- elsewhere: a package's tree, with a library directory of the system's own
make --no-print-directory -C "$root" install DESTDIR="$work/root" PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu >/dev/null
staged=$work/root/usr/lib/x86_64-linux-gnu
expect "the staged libdir" \
    "$(PKG_CONFIG_PATH="$staged/pkgconfig" pkg-config --variable=libdir wsgate)" /usr/lib/x86_64-linux-gnu
cmake -S "$here" -B "$work/staged" -Dwsgate_DIR="$staged/cmake/wsgate" >"$work/log" 2>&1 &&
    cmake --build "$work/staged" >>"$work/log" 2>&1 || { cat "$work/log" >&2; fail "CMake, staged"; }
runs "by CMake from a staged tree" "$work/staged/app-static"

make --no-print-directory -C "$root" uninstall PREFIX="$prefix" >/dev/null
expect "what uninstall leaves" "$(find "$prefix" ! -type d)" ""
echo "packaging: all passed"
