//! RFC 6455 without I/O: bytes in, messages out.
//!
//! [`Decoder`] takes what a peer sent, in pieces of any size, and yields whole messages and control
//! frames, unmasked in place where they lie complete in the input. `frame` writes what goes out.
//! Every failure is a [`Failure`] that carries the close code it deserves. A [`Codec`] fills the slot
//! that RSV1 opens (RFC 6455 §9.2), so that an extension changes nothing here.

mod close;
mod decoder;
pub(crate) mod deflate;
mod extension;
pub(crate) mod frame;
mod inflating;
mod mask;
pub mod reason;
pub(crate) mod unfinished;
mod utf8;

pub use close::{Failure, is_sendable, name};
pub use decoder::{Decoder, Item, Limits, MAX_CHUNK};
pub use deflate::Codec;
pub use frame::Opcode;

pub(crate) use close::{MAX_REASON, parse as parse_close};
pub(crate) use utf8::{Stream as Utf8Stream, is_valid as is_utf8};
