//! The C ABI: a thin shell over the Rust API, and with `sys` the only `unsafe`.
//!
//! `include/wsgate.h` is generated from these items, and their comments are its text. The boundary's
//! mechanics are in `boundary`; each other file is one noun of the header.
#![allow(unsafe_code)] // that is what a C ABI is
#![allow(rustdoc::broken_intra_doc_links)] // in the header, brackets hold defaults
#![allow(clippy::missing_safety_doc)] // the comments are the header's: ownership, threads and NULL are told there

mod batch;
mod boundary;
mod client;
mod compression;
mod flow;
mod gateway;
mod handshake;
mod http_settings;
mod message;
mod push;
mod server;
mod settings;
mod status;
mod streaming;
mod submit;
mod types;

pub use batch::*;
pub use client::*;
pub use compression::*;
pub use flow::*;
pub use gateway::*;
pub use handshake::*;
pub use http_settings::*;
pub use push::*;
pub use server::*;
pub use settings::*;
pub use status::*;
pub use streaming::*;
pub use submit::*;
pub use types::*;
