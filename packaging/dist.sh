#!/bin/sh
# dist.sh: target/dist/wsgate-VERSION.tar.xz, the committed source with all crates that it is built of, so that it
# builds and tests itself without a network. `make dist` runs it.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=wsgate-$version
archive=$root/target/dist/$name.tar.xz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p target/dist

git archive --prefix="$name/" HEAD | tar -x -C "$work"
cd "$work/$name"
cargo vendor --quiet --locked --versioned-dirs vendor >/dev/null
mkdir -p .cargo
cat >.cargo/config.toml <<'CONFIG'
[source.crates-io]
replace-with = "vendored"

[source.vendored]
directory = "vendor"
CONFIG

# Crates for other systems are nine tenths of it. cargo wants to see each that Cargo.lock names: a shell is enough.
for system in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-unknown-linux-musl; do
    cargo tree --quiet --locked --offline --target "$system" --edges all --prefix none --format '{p}'
done | sed 's/^\([^ ]*\) v\([^ ]*\).*/\1-\2/' | sort -u >"$work/used"
for crate in vendor/*; do
    if ! grep -qx "${crate#vendor/}" "$work/used"; then
        find "$crate" -type f ! -name Cargo.toml ! -name .cargo-checksum.json -delete
        mkdir -p "$crate/src"
        : >"$crate/src/lib.rs"
        sed -i 's/"files":{[^}]*}/"files":{}/' "$crate/.cargo-checksum.json"
    fi
done

# The same bytes for the same commit.
cd "$work"
tar -c --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+w \
    --mtime="@$(git -C "$root" log -1 --format=%ct)" "$name" | xz -T0 -6 >"$archive.new"
mv "$archive.new" "$archive"
echo "made $archive"
