//! Link arguments of the shared library: its SONAME, and `nodelete`.
//!
//! A host that calls `dlclose` would pull the code from under the engine's threads; `-z nodelete`
//! makes that call harmless. The SONAME carries the ABI's major version, not the release's.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libwsgate.so.0");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
