//! The C header, by cbindgen.

use std::path::Path;

/// The files of `src/ffi` in the order in which a C program meets them.
const CHAPTERS: [&str; 13] = [
    "src/counters.rs",
    "src/ffi/status.rs",
    "src/ffi/types.rs",
    "src/ffi/server.rs",
    "src/ffi/settings.rs",
    "src/ffi/http_settings.rs",
    "src/ffi/push.rs",
    "src/ffi/batch.rs",
    "src/ffi/submit.rs",
    "src/ffi/handshake.rs",
    "src/ffi/client.rs",
    "src/ffi/flow.rs",
    "src/ffi/gateway.rs",
];

pub(crate) fn generate(root: &Path) -> String {
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for chapter in CHAPTERS {
        builder = builder.with_src(root.join(chapter));
    }
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    String::from_utf8(header).unwrap()
}
