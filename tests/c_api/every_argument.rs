//! Every export with every bad argument, in every state of a server: a C program, made of the header, so that a new
//! function is tried the day it is there. `tests/c/every_argument.h` has the values, the states and the checks.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::cdef::{Function, functions};
use crate::toolchain::{WARNINGS, compile, root, run, sanitizers, scratch};

/// They end what the others need; `every_argument.h` calls them itself.
const LIFECYCLE: &[&str] = &[
    "wsgate_batch_free",
    "wsgate_server_drain",
    "wsgate_server_free",
    "wsgate_server_new",
    "wsgate_server_start",
    "wsgate_server_stop",
];

/// NULL with a length is fine there: the length counts for nothing then.
const OPTIONAL: &[(&str, &str)] = &[("wsgate_submit", "statuses")];

/// How one parameter is varied: a loop, the argument or arguments it gives, and when they can't be right.
struct Variation {
    list: &'static str,
    index: String,
    arguments: Vec<String>,
    impossible: Option<String>,
}

fn variations(function: &Function) -> Vec<Variation> {
    let mut found = Vec::new();
    let mut parameters = function.parameters.iter().peekable();
    while let Some((kind, name)) = parameters.next() {
        let index = format!("i_{name}");
        let has_length = kind.ends_with('*') && parameters.peek().is_some_and(|(kind, _)| kind == "size_t");
        let optional = OPTIONAL.contains(&(function.name.as_str(), name));
        let (list, arguments, impossible) = match kind.as_str() {
            "wsgate_server *" => {
                found.push(Variation {
                    list: "",
                    index,
                    arguments: vec!["server".to_owned()],
                    impossible: Some("server == NULL".to_owned()),
                });
                continue;
            }
            "wsgate_batch *" => {
                ("batches", vec![format!("batches[{index}]")], Some(format!("batches[{index}] == NULL")))
            }
            _ if has_length => {
                parameters.next();
                // Bytes may lie anywhere; larger elements may not.
                let list = match kind.trim_start_matches("const ") {
                    "char *" | "void *" if kind.starts_with("const") => "texts",
                    "char *" | "void *" => "rooms",
                    kind if kind.starts_with("wsgate_") => "structs",
                    _ if kind.starts_with("const") => "arrays",
                    _ => "places",
                };
                let arguments =
                    vec![format!("({kind}){list}[{index}].data"), format!("{list}[{index}].length")];
                (list, arguments, (!optional).then(|| format!("{list}[{index}].impossible")))
            }
            "void *" => ("pointers", vec![format!("pointers[{index}]")], None),
            _ if kind.ends_with('*') => (
                "outs",
                vec![format!("({kind})outs[{index}].data")],
                Some(format!("outs[{index}].impossible")),
            ),
            "wsgate_event_fn" => (
                "callbacks",
                vec![format!("callbacks[{index}]")],
                Some(format!("callbacks[{index}] == NULL")),
            ),
            "wsgate_free_fn" => ("frees", vec![format!("frees[{index}]")], None),
            // A wait would be one.
            "int32_t" if name == "timeout_ms" => ("timeouts", vec![format!("timeouts[{index}]")], None),
            "int32_t" | "uint32_t" => ("words", vec![format!("({kind})words[{index}]")], None),
            "uint64_t" | "size_t" => ("ids", vec![format!("({kind})ids[{index}]")], None),
            kind => panic!("{}: how is a {kind} varied?", function.name),
        };
        found.push(Variation { list, index, arguments, impossible });
    }
    found
}

fn program() -> String {
    let header = fs::read_to_string(root("include/wsgate.h")).unwrap();
    let functions: Vec<Function> = functions(&header)
        .into_iter()
        .filter(|function| !LIFECYCLE.contains(&function.name.as_str()))
        .collect();
    let mut out = "#include \"every_argument.h\"\n".to_owned();
    for function in &functions {
        let name = &function.name;
        let varied = variations(function);
        let loops: String = varied
            .iter()
            .filter(|v| !v.list.is_empty())
            .map(|v| format!("  EACH({}, {})\n", v.index, v.list))
            .collect();
        let arguments: Vec<&str> = varied.iter().flat_map(|v| &v.arguments).map(String::as_str).collect();
        let impossible: Vec<&str> = varied.iter().filter_map(|v| v.impossible.as_deref()).collect();
        let impossible = if impossible.is_empty() { "0".to_owned() } else { impossible.join(" || ") };
        let call = format!("{name}({})", arguments.join(", "));
        let body = match function.returns.as_str() {
            "wsgate_status" | "int32_t" => format!("after(\"{name}\", (int)({call}), {impossible});"),
            // The others can't fail.
            kind if kind.ends_with('*') => format!("made(\"{name}\", {call});"),
            _ => format!("(void){call};"),
        };
        out += &format!(
            "\nstatic void try_{name}(wsgate_server *server) {{\n  (void)server;\n{loops}  {{\n    before();\n    {body}\n  }}\n}}\n"
        );
    }
    let calls: String = functions
        .iter()
        .map(|function| format!("  refresh(server);\n  try_{}(server);\n", function.name))
        .collect();
    out + &format!("\nvoid try_all(wsgate_server *server) {{\n{calls}}}\n")
}

fn build(how: &str, flags: &[&str]) -> PathBuf {
    // A name for each use: the tests run at the same time.
    let source = scratch(&format!("every_argument-{how}.c"));
    fs::write(&source, program()).unwrap();
    let include = format!("-I{}", root("tests/c").display());
    compile(
        source.to_str().unwrap(),
        &format!("every_argument-{how}"),
        &[&["-std=c99", &include], WARNINGS, flags],
    )
}

#[test]
fn no_argument_breaks_a_function() {
    // A forked child's copy of what its parent's threads owned has no owner: that is no leak.
    let mut command = Command::new(build("sanitized", sanitizers()));
    command.env("ASAN_OPTIONS", "detect_leaks=0");
    run(command, Duration::from_secs(120));
}

#[test]
fn no_argument_breaks_a_function_under_valgrind() {
    crate::under_valgrind(build("valgrind", &["-O1"]), &["once"]);
}
