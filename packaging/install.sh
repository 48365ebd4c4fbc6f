#!/bin/sh
# install.sh: puts what a C or C++ program needs into PREFIX: the header, the shared library with its links, the
# static one, and the files by which pkg-config and CMake find them. `make install` runs it.
#
# PREFIX [/usr/local], LIBDIR [PREFIX/lib], INCLUDEDIR [PREFIX/include], DESTDIR [none]: where. STRIP [strip]: `:`
# leaves the debug information (line tables) in the libraries.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
includedir=${INCLUDEDIR:-$prefix/include}
strip=${STRIP:-strip}
built=${CARGO_TARGET_DIR:-$root/target}/release
for directory in "$prefix" "$libdir" "$includedir"; do
    case $directory in /*) ;; *) echo "install: $directory is not an absolute path" >&2; exit 2 ;; esac
done

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
url=$(sed -n 's/^\(repository\|homepage\) = "\(.*\)"/\2/p' "$root/Cargo.toml" | head -n 1)
# The SONAME's number is the ABI's; what follows tells releases with one ABI apart.
soname=$(readelf -d "$built/libwsgate.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
shared=$soname.${version#*.}
# What a program that links the static library needs besides. rustc also names the C library and the unwinder:
# every compiler adds those itself, the right one for -static and without.
# It is given a directory of its own for its output: as root it would put that in the place of /dev/null.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
private=$(rustc --print native-static-libs --crate-type staticlib -o "$work/nothing.a" - </dev/null 2>&1 |
    sed -n 's/.*native-static-libs: //p' | tr ' ' '\n' | grep -vx -e -lc -e -lgcc_s | tr '\n' ' ')

to() { mkdir -p "${DESTDIR-}$1" && echo "${DESTDIR-}$1"; }
lib=$(to "$libdir")
install -m 644 "$root/include/wsgate.h" "$(to "$includedir")/wsgate.h"
install -m 755 "$built/libwsgate.so" "$lib/$shared"
"$strip" --strip-unneeded "$lib/$shared"
ln -sf "$shared" "$lib/$soname"
ln -sf "$soname" "$lib/libwsgate.so"

# The static library is one object in which wsgate_* alone is visible: what rustc makes has all of Rust's own symbols,
# and a program could link no other library of the kind beside it.
# shellcheck disable=SC2046 # a list of words
${LD:-ld} -r --gc-sections -o "$work/all.o" $(sed -n 's/.*\b\(wsgate_[a-z0-9_]*\)(.*/-u \1/p' "$root/include/wsgate.h") "$built/libwsgate.a"
${OBJCOPY:-objcopy} --wildcard --keep-global-symbol='wsgate_*' --remove-section=.llvmbc --remove-section=.llvmcmd \
    "$work/all.o" "$work/wsgate.o"
"$strip" --strip-debug "$work/wsgate.o"
rm -f "$lib/libwsgate.a"
ar rcs "$lib/libwsgate.a" "$work/wsgate.o"
chmod 644 "$lib/libwsgate.a"

fill() {
    sed -e "s|@PREFIX@|$prefix|" -e "s|@LIBDIR@|$libdir|" -e "s|@INCLUDEDIR@|$includedir|" \
        -e "s|@INCLUDEDIR_FROM_LIBDIR@|$(realpath -m --relative-to="$libdir" "$includedir")|" \
        -e "s|@VERSION@|$version|" -e "s|@LIBS_PRIVATE@|${private% }|" -e "s|@URL@|$url|" -e '/^URL: $/d' \
        -e "s|@SHARED@|$shared|" -e "s|@SONAME@|$soname|" "$root/packaging/$1.in" >"$2/$1"
    chmod 644 "$2/$1"
}
# Paths below the prefix move with it: `pkg-config --define-prefix` and CMake's relative ones.
fill wsgate.pc "$(to "$libdir/pkgconfig")"
sed -i -e "/^prefix=/! s|=$prefix/|=\${prefix}/|" "$lib/pkgconfig/wsgate.pc"
fill wsgateConfig.cmake "$(to "$libdir/cmake/wsgate")"
fill wsgateConfigVersion.cmake "$lib/cmake/wsgate"
