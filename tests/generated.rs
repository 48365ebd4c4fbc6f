//! No drift: `include/wsgate.h`, PHP's `wsgate.cdef.h` and Python's `_abi.py` are made of the Rust items
//! and checked in. `BLESS=1 cargo test --test generated` rewrites them.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail so

mod generated {
    pub(crate) mod cdef;
    pub(crate) mod header;
    pub(crate) mod manual;
    pub(crate) mod python;
}

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use generated::{cdef, header, manual, python};

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

/// What a C programmer must know of each function stands beside it.
#[test]
fn every_function_says_what_its_caller_must_know() {
    let header = header::generate(root());
    let statuses: BTreeSet<&str> =
        manual::words(&header).filter_map(|word| word.strip_prefix("WSGATE_STATUS_")).collect();
    let parameters: BTreeMap<String, Vec<String>> = cdef::functions(&header)
        .into_iter()
        .map(|function| (function.name, function.parameters.into_iter().map(|(_, name)| name).collect()))
        .collect();
    let mut bad = Vec::new();
    for item in manual::read(&header).iter().filter(|item| item.is_function()) {
        let mut check = |good: bool, what: &str| {
            if !good {
                bad.push(format!("{}: {what}", item.name));
            }
        };
        let (text, tags) = item.comment.split_once("\n@").unwrap_or((&item.comment, ""));
        let tags: Vec<&str> = tags.split("\n@").collect();
        let of = |kind: &str| tags.iter().find_map(|tag| tag.strip_prefix(kind)).map(str::trim);
        check(!text.trim().is_empty(), "does not say what it does");
        check(of("threads").is_some_and(|text| !text.is_empty()), "has no @threads");
        match of("return") {
            None => check(item.declaration.starts_with("void "), "has no @return"),
            Some(text) => {
                // A status by its name, before a colon, a semicolon or the end.
                let unknown = manual::words(text)
                    .filter(|word| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase()))
                    .find(|word| {
                        !statuses.contains(word) && !["NULL", "UTF", "STOPPED", "DRAIN"].contains(word)
                    });
                check(unknown.is_none(), &format!("returns {unknown:?}, which is no status"));
                let counts = !item.declaration.starts_with("wsgate_status ");
                check(counts || manual::words(text).any(|word| word == "OK"), "does not say OK");
            }
        }
        for tag in tags.iter().filter_map(|tag| tag.strip_prefix("param ")) {
            let name = tag.split_whitespace().next().unwrap_or_default();
            check(
                parameters[&item.name].iter().any(|known| known == name),
                &format!("has no parameter {name}"),
            );
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}
