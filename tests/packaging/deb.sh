#!/bin/sh
# deb.sh: the Debian packages say what they are, install into a root of their own, and a program builds from it.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
arch=$(dpkg --print-architecture)
lib=usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)

fail() {
    echo "packaging: $*" >&2
    exit 1
}

make --no-print-directory -C "$root" deb >/dev/null
runtime=$root/target/deb/libwsgate0_$version-1_$arch.deb
development=$root/target/deb/libwsgate-dev_$version-1_$arch.deb
dpkg-deb --field "$runtime" Depends | grep -q 'libc6 (>=' || fail "libwsgate0 does not say what it needs"
dpkg-deb --field "$development" Depends | grep -q "libwsgate0 (= $version-1)" || fail "libwsgate-dev does not"

# A database of its own, where nothing else is installed: dependencies are not its business.
mkdir -p "$work/root/var/lib/dpkg/info" "$work/root/var/lib/dpkg/updates"
: >"$work/root/var/lib/dpkg/status"
dpkg --root="$work/root" --force-depends --force-not-root --force-script-chrootless --log="$work/log" \
    --install "$runtime" "$development" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "dpkg"; }
[ "$(readlink "$work/root/$lib/libwsgate.so.0")" = "libwsgate.so.$version" ] || fail "no libwsgate.so.0"
[ -s "$work/root/usr/share/doc/libwsgate0/copyright" ] || fail "no copyright"
zcat -f "$work/root/usr/share/doc/libwsgate0/third-party.txt"* | grep -q '^  hyper .*: MIT' || fail "no third-party.txt"

export PKG_CONFIG_PATH="$work/root/$lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$work/root"
for source in "$root/tests/packaging/app.c" "$work/root/usr/share/doc/libwsgate-dev/examples/echo.c"; do
    # shellcheck disable=SC2046 # a list of words
    "${CC:-cc}" -std=c99 "$source" -o "$work/app" $(pkg-config --cflags --libs wsgate) -pthread
    [ "$source" != "$root/tests/packaging/app.c" ] && continue
    said=$(LD_LIBRARY_PATH=$work/root/$lib "$work/app")
    [ "$said" = "wsgate $version: HTTP/1.1 101" ] || fail "the program says '$said'"
done

if command -v lintian >/dev/null 2>&1; then
    # A first package closes no bug; whoever publishes one signs it with a name of their own.
    lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs,bogus-mail-host \
        "$runtime" "$development" || fail "lintian"
else
    echo "packaging: SKIPPED: lintian is not installed"
fi
echo "packaging: the Debian packages install, and a program builds from them"
