//! The header as Python's ctypes takes it.

use std::collections::BTreeSet;

use super::cdef::{Declaration, declarations};

/// `wsgate_client_counters` as `ClientCounters`.
fn class(name: &str) -> String {
    name.trim_start_matches("wsgate_").split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// A C type as ctypes spells it. `pointers_to_text` keeps `const char *` readable as `bytes`.
fn ctype(kind: &str) -> String {
    match kind {
        "void" => "None".into(),
        "const char *" => "c_char_p".into(),
        kind if kind.ends_with('*') => "c_void_p".into(),
        "size_t" | "int32_t" | "uint16_t" | "uint32_t" | "uint64_t" => {
            format!("c_{}", kind.trim_end_matches("_t"))
        }
        kind if kind.ends_with("_fn") => class(kind),
        // Enums: C gives them the size of an int.
        kind if kind.starts_with("wsgate_") => "c_int32".into(),
        kind => panic!("no ctypes type for {kind}"),
    }
}

fn name_of_size_t(name: String) -> String {
    if name == "c_size" { "c_size_t".into() } else { name }
}

fn types(parameters: &[(String, String)]) -> String {
    let types: Vec<String> = parameters.iter().map(|(kind, _)| name_of_size_t(ctype(kind))).collect();
    types.join(", ")
}

pub(crate) fn generate(header: &str) -> String {
    let mut body = String::new();
    let mut functions = String::new();
    let mut callbacks = String::new();
    for declaration in declarations(header) {
        match declaration {
            Declaration::Enum { constants, .. } => {
                for (name, value) in constants {
                    body += &format!("{} = {value}\n", name.trim_start_matches("WSGATE_"));
                }
                body += "\n";
            }
            Declaration::Opaque { .. } => {}
            Declaration::Struct { name, fields } => {
                body += &format!("\nclass {}(Structure):\n    _fields_ = [\n", class(&name));
                for (kind, name) in fields {
                    body += &format!("        (\"{name}\", {}),\n", name_of_size_t(ctype(&kind)));
                }
                body += "    ]\n\n";
            }
            Declaration::Callback { name, parameters } => {
                let pointers: Vec<&str> = parameters.iter().map(|_| "c_void_p").collect();
                callbacks += &format!("{} = CFUNCTYPE(None, {})\n", class(&name), pointers.join(", "));
            }
            Declaration::Function(function) => {
                let returns = name_of_size_t(ctype(&function.returns));
                let types = types(&function.parameters);
                functions += &format!("    \"{}\": ({returns}, [{types}]),\n", function.name);
            }
        }
    }
    let table = format!("FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {{\n{functions}}}\n");
    let text = format!("{body}\n{callbacks}\n{table}");
    let used: BTreeSet<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| *word == "CFUNCTYPE" || *word == "Structure" || word.starts_with("c_"))
        .collect();
    let imports: String = used.iter().map(|name| format!("    {name},\n")).collect();
    format!(
        "# Generated from src/ffi by tests/generated.rs; BLESS=1 rewrites it.\n\
         from ctypes import (\n{imports})\nfrom typing import Any\n\nABI_VERSION = {}\n\n{text}",
        abi_version(header),
    )
}

fn abi_version(header: &str) -> &str {
    let line = header.lines().find_map(|line| line.strip_prefix("#define WSGATE_ABI_VERSION "));
    line.expect("the header defines WSGATE_ABI_VERSION").trim()
}
