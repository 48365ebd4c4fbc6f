#!/bin/sh
# sanitizers.sh [short]: the Rust side under AddressSanitizer (with leaks, where the system lets it look) and
# ThreadSanitizer. Needs python3 and the toolchain that builds the library; no nightly.
#
# AddressSanitizer: the library's unit tests, tests/server.rs, and the C programs of tests/c and examples/c, with the
# library and the program instrumented both; in the long form, what of tests/hardening.rs has many threads.
# ThreadSanitizer: programs, because the test harness is full of what it takes for races: the Rust bench server
# with three workers under the conformance scenarios and bursts of clients, sanitizers/threads, and the C programs
# (by clang, whose reports have Rust's names), all of them or, in the short form, some with many threads.
# The programs are a package of their own in target/tsan, without the development dependencies.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
case ${1-} in
short)
    clients=30 messages=60 churn=3
    hardened=
    threaded="callbacks_run_in_parallel one_order stop threads_answers user_data_is_freed_once"
    ;;
'')
    clients=100 messages=300 churn="20 5000 1000000"
    hardened="churn order outcomes stress"
    threaded="sanitized no_argument_breaks examples"
    ;;
*) echo "usage: sanitizers.sh [short]" >&2; exit 2 ;;
esac

work=$root/target/sanitizers
triple=$(rustc -vV | sed -n 's/^host: //p')
passed=0 failed=0
rm -rf "$work"
mkdir -p "$work" target/tsan
export RUSTC_BOOTSTRAP=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only CARGO_TERM_COLOR=never

# check NAME COMMAND...: it succeeds, and no sanitizer has written a report.
check() {
    name=$1
    shift
    echo "sanitizers: $name"
    status=0
    "$@" >"$work/$name.log" 2>&1 || status=$?
    reports=$(find "$work" -name 'report.*')
    if [ "$status" -eq 0 ] && [ -z "$reports" ]; then
        passed=$((passed + 1))
        grep -E '^(test result:|push:|pull:|seat:|echo:|broadcast:|[0-9]+ passed)' "$work/$name.log" | sed 's/^/    /' || true
    else
        failed=$((failed + 1))
        echo "    FAILED with status $status:"
        # shellcheck disable=SC2086 # a list of paths without spaces
        tail -n 60 "$work/$name.log" $reports | sed 's/^/    /'
        for report in $reports; do mv "$report" "$work/$name.$(basename "$report")"; done
    fi
}

finish() {
    echo "sanitizers: $passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

# ---- AddressSanitizer

asan_test() {
    RUSTFLAGS=-Zsanitizer=address nice cargo test --quiet --locked --target "$triple" --target-dir target/asan "$@"
}
export LSAN_OPTIONS="suppressions=$root/tests/sanitizers/lsan.supp:print_suppressions=0"
check asan-build asan_test --no-run --lib --test server
# LeakSanitizer stops the world by ptrace, which some containers forbid: then it fails with nothing to look at.
ASAN_OPTIONS=detect_leaks=1
export ASAN_OPTIONS
if ! asan_test --lib -- --list >"$work/leaks.log" 2>&1; then
    echo "sanitizers: leaks can't be looked for here"
    ASAN_OPTIONS=detect_leaks=0
fi
check asan-unit-tests asan_test --lib
check asan-server-tests asan_test --test server
for what in $hardened; do
    check "asan-$what" env WSGATE_CLIENTS=5000 RUSTFLAGS=-Zsanitizer=address nice cargo test --quiet --locked \
        --target "$triple" --target-dir target/asan --test hardening -- "$what::"
done

# The harness stays as it is, and so out of the way: only what it runs is instrumented.
c_programs() { # LIBRARY CARGO-TEST-ARGUMENTS...
    library=$1
    shift
    env -u RUSTC_BOOTSTRAP -u CARGO_PROFILE_DEV_DEBUG WSGATE_TEST_LIBRARY="$library" \
        nice cargo test --quiet --locked --test c_api -- --skip valgrind "$@"
}
asan_library() {
    RUSTFLAGS=-Zsanitizer=address nice cargo build --quiet --locked --lib --target "$triple" --target-dir target/asan
}
check asan-c-library asan_library
check asan-c-programs c_programs "$root/target/asan/$triple/debug/libwsgate.so" sanitized no_argument_breaks examples

# ---- ThreadSanitizer

cat >target/tsan/Cargo.toml <<MANIFEST
[package]
name = "sanitized"
edition = "2024"

[workspace]

[dependencies]
libc = "0.2"
wsgate = { path = "$root" }

[[bin]]
name = "bench-server"
path = "$root/benches/servers/rust/main.rs"

[[bin]]
name = "threads"
path = "$root/tests/sanitizers/threads/main.rs"
MANIFEST
# The versions that the library is built with everywhere else; cargo takes out those that are not needed.
cp Cargo.lock target/tsan/Cargo.lock
tsan_build() {
    RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" nice cargo build --quiet \
        --manifest-path target/tsan/Cargo.toml --target "$triple" --target-dir target/tsan
}
check tsan-build tsan_build
[ -x "target/tsan/$triple/debug/threads" ] || finish

export TSAN_OPTIONS="suppressions=$root/tests/sanitizers/tsan.supp:log_path=$work/report:exitcode=66"
for mode in echo broadcast conformance; do
    cat >"$work/tsan-$mode.sh" <<SCRIPT
#!/bin/sh
exec env WORKERS=3 "$root/target/tsan/$triple/debug/bench-server" $mode "\$@"
SCRIPT
    chmod +x "$work/tsan-$mode.sh"
done
check tsan-conformance nice python3 tests/conformance/run.py "$work/tsan-conformance.sh"
for mode in echo broadcast; do
    check "tsan-$mode" nice python3 tests/sanitizers/burst.py "$mode" "$work/tsan-$mode.sh" "$clients" "$messages"
done
for mode in push pull seat; do
    # shellcheck disable=SC2086 # seconds, clients and calls
    check "tsan-threads-$mode" nice timeout 500 "target/tsan/$triple/debug/threads" "$mode" $churn
done
# dlclose: a program that is not linked with the library does not have what it asks for. nothing_leaks counts threads,
# and the sanitizer has one of its own. The C++ example is not clang's to compile.
tsan_library() {
    RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" nice cargo build --quiet --locked --lib \
        --target "$triple" --target-dir target/tsan
}
check tsan-c-library tsan_library
export WSGATE_TEST_SANITIZER=thread CC=clang
export TSAN_OPTIONS="suppressions=$root/tests/sanitizers/tsan.supp:die_after_fork=0"
# shellcheck disable=SC2086 # a list of words
check tsan-c-programs c_programs "$root/target/tsan/$triple/debug/libwsgate.so" $threaded \
    --skip dlclose --skip nothing_leaks --skip cpp --skip cannot_start
finish
