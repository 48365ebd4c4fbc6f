//! The C ABI keeps its promises: each program in `tests/c` is one of them.
//!
//! They are compiled with the sanitizers and run; those that tell something about memory are run under
//! valgrind too, and those that measure the allocator without either. `CC` chooses the compiler.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // these are tests, and a skipped one must be seen

#[allow(dead_code)] // only its reading of the header is used here
#[path = "generated/cdef.rs"]
mod cdef;
#[path = "c_api/every_argument.rs"]
mod every_argument;
#[path = "c_api/examples.rs"]
mod examples;
#[path = "c_api/toolchain.rs"]
mod toolchain;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use toolchain::{WARNINGS, compile, compile_with, cxx, library_directory, root, run, sanitizers};

const LIMIT: Duration = Duration::from_secs(60);
const VALGRIND_LIMIT: Duration = Duration::from_secs(180);

/// One line a program: its name, and how it is run. A module for each, so that a failure is named.
macro_rules! programs {
    ($($name:ident: $($how:ident)+;)+) => {
        const PROGRAMS: &[&str] = &[$(stringify!($name)),+];
        $(mod $name {
            $(#[test]
            fn $how() {
                super::$how(stringify!($name));
            })+
        })+
    };
}

programs! {
    accepted_is_reached_at_once: sanitized;
    address_in_use: sanitized valgrind;
    answers_are_checked: sanitized valgrind;
    answers_precede_close: sanitized;
    arguments: sanitized valgrind;
    batch_steps: sanitized valgrind;
    callback_threads: sanitized valgrind;
    callbacks_run_in_parallel: sanitized;
    calls_from_atexit: sanitized;
    calls_never_hit_the_next_client: sanitized;
    child_holds_sockets: sanitized_but_for_leaks;
    client_info: sanitized;
    client_user_data: sanitized;
    client_vanishes: sanitized valgrind;
    close_event: sanitized valgrind;
    compress_choice: sanitized valgrind;
    compression: sanitized valgrind;
    daemonise: sanitized_but_for_leaks;
    descriptor: sanitized;
    dlclose: sanitized;
    drain: sanitized valgrind;
    early_clients: sanitized;
    exit_without_free: sanitized;
    fork: sanitized_but_for_leaks;
    fork_keeps_no_address: sanitized_but_for_leaks;
    frame_split: sanitized;
    gateway: sanitized valgrind;
    gateway_free_comes_after: sanitized;
    gateway_list: sanitized valgrind;
    gateway_multicast: sanitized valgrind;
    gateway_outcome: sanitized valgrind;
    handshake_decided: sanitized valgrind;
    handshake_gone: sanitized valgrind;
    header: sanitized;
    heartbeat: sanitized;
    lifecycle: sanitized valgrind;
    limits: sanitized valgrind;
    nothing_leaks: sanitized plain;
    one_order: sanitized;
    order_of_calls: sanitized valgrind;
    outbox_full: sanitized;
    pause: sanitized;
    ping: sanitized;
    pull_echo: sanitized valgrind;
    push_echo: sanitized valgrind;
    rate_limit: sanitized;
    receive_window: sanitized valgrind;
    reentrancy: sanitized valgrind;
    request: sanitized;
    request_handler: sanitized valgrind;
    settings_name_their_bounds: sanitized;
    signals_are_the_hosts: sanitized plain;
    slow_consumers: sanitized valgrind;
    stale_ids: sanitized;
    stale_ids_under_load: sanitized valgrind;
    stop: sanitized valgrind;
    stream_compressed: sanitized valgrind;
    stream_receive: sanitized valgrind;
    stream_send: sanitized valgrind;
    submit_bad_records: sanitized valgrind;
    submit_each: sanitized valgrind;
    take_busy: sanitized;
    take_interrupted: sanitized;
    text_only: sanitized;
    two_servers: sanitized valgrind;
    unix_socket: sanitized;
    user_data_is_freed_once: sanitized valgrind;
}

fn build(name: &str, how: &str, flags: &[&str]) -> PathBuf {
    compile(&format!("tests/c/{name}.c"), &format!("{name}-{how}"), &[&["-std=c99"], WARNINGS, flags])
}

fn sanitized(name: &str) {
    run(Command::new(build(name, "sanitized", sanitizers())), limit(LIMIT));
}

/// A forked child's copy of what its parent's threads owned has no owner: that is no leak.
fn sanitized_but_for_leaks(name: &str) {
    let mut command = Command::new(build(name, "sanitized", sanitizers()));
    command.env("ASAN_OPTIONS", "detect_leaks=0");
    run(command, LIMIT);
}

fn plain(name: &str) {
    run(Command::new(build(name, "plain", &["-O1"])), LIMIT);
}

fn valgrind(name: &str) {
    under_valgrind(build(name, "valgrind", &["-O1"]), &[]);
}

fn under_valgrind(program: PathBuf, arguments: &[&str]) {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("SKIPPED: {program:?} under valgrind, which is not installed");
        return;
    }
    let mut command = Command::new("valgrind");
    // Of what stale_ids_under_load does otherwise a part: valgrind takes thirty times as long.
    if !is_long() {
        command.env("WSGATE_STALE_IDS", "50000").env("WSGATE_CLIENTS", "100");
    }
    command
        .args(["--quiet", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect,possible"])
        .args(["--error-exitcode=9", "--fair-sched=yes"])
        .arg(format!("--suppressions={}", root("tests/c/valgrind.supp").display()))
        .arg(program)
        .args(arguments);
    run(command, limit(VALGRIND_LIMIT));
}

/// Whether stale_ids_under_load is told how long it is to be, by `make soak`.
fn is_long() -> bool {
    std::env::var_os("WSGATE_STALE_IDS").is_some()
}

fn limit(usual: Duration) -> Duration {
    if is_long() { 10 * usual } else { usual }
}

#[test]
fn every_program_is_in_the_table() {
    let there: BTreeSet<String> = std::fs::read_dir(root("tests/c"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".c").map(str::to_owned))
        .collect();
    assert_eq!(there, PROGRAMS.iter().map(|&name| name.to_owned()).collect());
}

#[test]
fn the_header_stands_alone_in_every_standard() {
    for standard in ["c99", "c11", "c17", "c2x"] {
        let flag = format!("-std={standard}");
        let program = compile("tests/c/header.c", &format!("header-{standard}"), &[&[&flag], WARNINGS]);
        run(Command::new(program), LIMIT);
    }
    for standard in ["c++11", "c++17"] {
        let flags: [&[&str]; 2] = [&["-x", "c++", &format!("-std={standard}")], WARNINGS];
        let program = compile_with(&cxx(), "tests/c/header.c", &format!("header-{standard}"), &flags);
        run(Command::new(program), LIMIT);
    }
}

fn output_of(tool: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(tool).args(arguments).arg(file).output().unwrap();
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn only_the_abi_is_exported() {
    let symbols = output_of(
        "nm",
        &["-D", "--defined-only", "--format=posix"],
        &library_directory().join("libwsgate.so"),
    );
    let names: Vec<&str> = symbols.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"wsgate_server_new"), "{names:?}");
    let strangers: Vec<_> = names.iter().filter(|name| !name.starts_with("wsgate_")).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

#[test]
fn the_library_carries_its_soname_and_is_never_unloaded() {
    let dynamic = output_of("readelf", &["--dynamic", "--wide"], &library_directory().join("libwsgate.so"));
    assert!(dynamic.contains("soname: [libwsgate.so.0]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}
