#!/bin/sh
# run.sh MODE PORT: builds the program unless it is newer than what it is made of, and becomes it.
set -eu

sources=$(cd "$(dirname "$0")" && pwd)
root=${sources%/benches/servers/rust}
program=$root/target/release/examples/bench-server
newer=$(find "$sources" "$root/src" -type f -newer "$program" 2>/dev/null || echo missing)
if [ ! -x "$program" ] || [ -n "$newer" ]; then
    cargo build --quiet --release --locked --example bench-server \
        --manifest-path "$root/Cargo.toml" --target-dir "$root/target" >&2
fi

exec "$program" "$@"
