# Sourced by the start scripts, or run by itself: builds the release library unless it is there. Nothing goes to
# stdout, which belongs to the server.
set -eu

start=$(cd "$(dirname "$0")" && pwd)/
root=${start%/benches/servers/*}
release=$root/target/release

if [ ! -e "$release/libwsgate.so" ]; then
    cargo build --quiet --release --locked --lib \
        --manifest-path "$root/Cargo.toml" --target-dir "$root/target" >&2
fi
# The name under which programs load it.
if [ ! -e "$release/libwsgate.so.0" ]; then
    ln -sf libwsgate.so "$release/libwsgate.so.0"
fi
