//! permessage-deflate (RFC 7692): what is agreed upon, and how messages are compressed by it.
//!
//! A client without context takeover costs nothing: each message stands for itself, and one compressor
//! and one decompressor of the thread serve everybody. A context that is taken over from message to
//! message is the client's own, made at its first compressed message.

mod codec;
mod negotiation;
mod shared;

pub use codec::Codec;
pub(crate) use codec::{Effort, SharedClass};
pub(crate) use negotiation::{Agreement, Settings, agree};
pub(crate) use shared::{deflate, give_back, lend};
