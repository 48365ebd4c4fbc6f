//! No drift: `include/wsgate.h`, PHP's `wsgate.cdef.h` and Python's `_abi.py` are made of the Rust items
//! and checked in. `BLESS=1 cargo test --test generated` rewrites them.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail so

mod generated {
    pub(crate) mod cdef;
    pub(crate) mod header;
    pub(crate) mod python;
}

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use generated::{cdef, header, python};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a checked-in file with what it should be, or rewrites it when blessing.
fn check(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, expected).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    if found != expected {
        let line = found.lines().zip(expected.lines()).take_while(|(a, b)| a == b).count() + 1;
        panic!("{path} is not what src/ffi makes, from line {line} on; BLESS=1 cargo test --test generated");
    }
}

#[test]
fn the_header_is_the_rust_items() {
    check("include/wsgate.h", &header::generate(root()));
}

#[test]
fn the_php_definitions_are_the_header() {
    check("bindings/php/src/wsgate.cdef.h", &cdef::generate(&header::generate(root())));
}

#[test]
fn the_python_module_is_the_header() {
    check("bindings/python/src/wsgate/_abi.py", &python::generate(&header::generate(root())));
}

/// The shared library that cargo left beside this test's binary.
fn library() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().join("libwsgate.so")
}

#[test]
fn the_library_exports_what_the_header_declares_and_nothing_else() {
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(library()).output().unwrap();
    let exported: BTreeSet<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_whitespace().last().map(str::to_owned))
        .collect();
    let declared: BTreeSet<String> =
        cdef::functions(&header::generate(root())).iter().map(|function| function.name.clone()).collect();
    assert!(!declared.is_empty());
    assert_eq!(exported, declared);
}
