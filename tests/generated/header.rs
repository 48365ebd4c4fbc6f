//! The C header, by cbindgen.

use std::path::Path;

use super::manual;

pub(crate) fn generate(root: &Path) -> String {
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in ["src/counters.rs", "src/ffi/types.rs"] {
        builder = builder.with_src(root.join(file));
    }
    for file in manual::files(root) {
        builder = builder.with_src(file);
    }
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    manual::arrange(&String::from_utf8(header).unwrap(), root)
}
