#!/bin/sh
# run.sh TARGET AMOUNT [SANITIZER]: runs a fuzz target for AMOUNT, "60s" or "100000000" executions, under
# AddressSanitizer or, with SANITIZER `none`, twice as fast without.
#
# Starts from fuzz/corpus/TARGET and what earlier runs found (target/fuzz/found). A finding is left in
# target/fuzz/findings, and a test of the input belongs into fuzz/corpus. target/fuzz/TARGET.count adds up all
# executions so far. Needs a C++ compiler for libFuzzer, which the crate libfuzzer-sys brings; no cargo-fuzz.
set -eu

target=${1:?usage: run.sh TARGET AMOUNT [SANITIZER]} amount=${2:?usage: run.sh TARGET AMOUNT [SANITIZER]}
sanitizer=${3:-address}
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
triple=$(rustc -vV | sed -n 's/^host: //p')
work=target/fuzz
found=$work/found/$target
mkdir -p "$found" "$work/findings" "fuzz/corpus/$target"

case $amount in
*s) limit=-max_total_time=${amount%s} ;;
*) limit=-runs=$amount ;;
esac

# What libFuzzer needs to see where an input leads; the instrumentation is LLVM's, and not a sanitizer.
flags="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares"
[ "$sanitizer" = none ] || flags="$flags -Zsanitizer=$sanitizer"
# The versions that the library is built with everywhere else; cargo adds libFuzzer's.
cp Cargo.lock fuzz/Cargo.lock
RUSTC_BOOTSTRAP=1 RUSTFLAGS=$(echo $flags) CARGO_PROFILE_RELEASE_LTO=off nice cargo build --quiet --release \
    --manifest-path fuzz/Cargo.toml --target "$triple" --target-dir "$work/$sanitizer" --bin "$target"

log=$work/$target.log
status=0
# A pull server's ends and a stopped peer's threads are no leaks of a run that never ends.
ASAN_OPTIONS=detect_leaks=0 nice "$work/$sanitizer/$triple/release/$target" "$limit" -max_len=4096 -timeout=25 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$work/findings/$target-" \
    "$found" "fuzz/corpus/$target" >"$log" 2>&1 || status=$?
count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
total=$(($(cat "$work/$target.count" 2>/dev/null || echo 0) + ${count:-0}))
echo "$total" >"$work/$target.count"
if [ "$status" -ne 0 ]; then
    tail -n 60 "$log" >&2
    echo "fuzz: $target has a finding, see $work/findings" >&2
    exit 1
fi
echo "fuzz: $target: ${count:-0} executions, ${rate:-0} a second, no finding ($total in all here)"
