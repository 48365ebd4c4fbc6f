#!/bin/sh
# deb.sh: target/deb/*.deb, libwsgate0 and libwsgate-dev for this system. `make deb` builds the library and runs it.
# DEBFULLNAME and DEBEMAIL name the maintainer.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
copyright=$(sed -n 's/^Copyright (c) //p' "$root/LICENSE")
maintainer="${DEBFULLNAME:-${copyright#* }} <${DEBEMAIL:-wsgate@packages.example.org}>"
out=$root/target/deb
stage=$out/wsgate-$version
# The time of what is packed, so that the same source gives the same package.
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct 2>/dev/null || stat -c %Y "$root/Cargo.toml")
export SOURCE_DATE_EPOCH

rm -rf "$stage"
rm -f "$out"/*.deb
mkdir -p "$stage"
cp -R "$root/packaging/debian" "$root/CHANGELOG.md" "$stage"
mkdir -p "$stage/examples"
cp -R "$root/examples/c" "$stage/examples"
python3 "$root/packaging/third_party.py" >"$stage/third-party.txt"
for file in control changelog copyright; do
    sed -e "s|@VERSION@|$version|" -e "s|@MAINTAINER@|$maintainer|" -e "s|@COPYRIGHT@|$copyright|" \
        -e "s|@DATE@|$(date -Rud "@$SOURCE_DATE_EPOCH")|" "$stage/debian/$file.in" >"$stage/debian/$file"
    rm "$stage/debian/$file.in"
done
sed -n '/^Permission/,$p' "$root/LICENSE" | sed -e 's/^$/./' -e 's/^/ /' >>"$stage/debian/copyright"

cd "$stage"
# No debug symbols package: the line tables are in target/release, and in what `make install STRIP=:` installs.
DEB_BUILD_OPTIONS=noautodbgsym WSGATE_SOURCE=$root SERIES=${version%.*} OUT=$out nice debian/rules binary >"$out/log" 2>&1 || {
    cat "$out/log" >&2
    exit 1
}
rm -rf "$stage"
for package in "$out"/*.deb; do echo "made $package"; done
