//! permessage-deflate (RFC 7692) at an endpoint.

use super::{Config, EndpointId, MIB, Setting, setting};
use crate::error::Result;
use crate::protocol::deflate::{Effort, Settings};

/// How hard messages are compressed: 0 is off, 1 fast, 9 small.
pub const COMPRESSION_LEVEL: Setting = setting("compression level", 0, 0, 9, "(off, fast to small)");
/// Of a context that is taken over: how much memory the compressor has besides its window, `1 << (level + 9)` bytes.
pub const COMPRESSION_MEMORY: Setting = setting("compression memory level", 5, 1, 9, "(little to much)");
/// The windows that we and the client compress with, `1 << bits` bytes.
pub const COMPRESSION_WINDOW: Setting = setting("compression window", 12, 9, 15, "bits");
/// Shorter messages are sent as they are.
pub const COMPRESSION_THRESHOLD: Setting = setting("compression threshold", 861, 0, 1 << 30, "bytes");
/// How many times its compressed size a message may inflate to, if that is more than 64 KiB; 0: the message
/// size alone bounds it.
pub const COMPRESSION_RATIO: Setting = setting("compression ratio", 0, 0, MIB, "times");

/// Whether one message is compressed. A client that did not agree upon it is sent it as it is, and so is every
/// client that it would not get smaller for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compress {
    /// As its endpoint has it, by length and kind: [`Config::set_compression_of`].
    #[default]
    BySettings,
    /// Never: it is compressed already, or a secret beside what a stranger can choose.
    Never,
    /// Whatever its length and kind.
    Always,
}

/// What an endpoint wants of permessage-deflate, and what it does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compression {
    level: u8,
    memory: u8,
    ratio: u32,
    server_bits: u8,
    client_bits: u8,
    server_takeover: bool,
    client_takeover: bool,
    pub(crate) threshold: u64,
    pub(crate) text: bool,
    pub(crate) binary: bool,
}

impl Default for Compression {
    fn default() -> Self {
        Self {
            level: COMPRESSION_LEVEL.default as u8,
            memory: COMPRESSION_MEMORY.default as u8,
            ratio: COMPRESSION_RATIO.default as u32,
            server_bits: 15,
            client_bits: 15,
            server_takeover: false,
            client_takeover: false,
            threshold: COMPRESSION_THRESHOLD.default,
            text: true,
            binary: true,
        }
    }
}

impl Compression {
    /// What the handshake may agree upon; `None` when compression is off.
    pub(crate) fn settings(&self) -> Option<Settings> {
        let Self { server_bits, client_bits, server_takeover, client_takeover, .. } = *self;
        (self.level > 0).then_some(Settings { server_bits, client_bits, server_takeover, client_takeover })
    }

    pub(crate) fn effort(&self) -> Effort {
        Effort { level: self.level, memory: self.memory, ratio: self.ratio }
    }

    /// Whether a message of this kind and length is to be compressed.
    pub(crate) fn wants(&self, compress: Compress, binary: bool, length: usize) -> bool {
        match compress {
            Compress::BySettings => {
                (if binary { self.binary } else { self.text }) && length as u64 >= self.threshold
            }
            Compress::Never => false,
            Compress::Always => true,
        }
    }
}

impl Config {
    fn compression(&mut self, endpoint: EndpointId) -> Result<&mut Compression> {
        Ok(&mut self.endpoint(endpoint)?.compression)
    }

    /// Sets [`COMPRESSION_LEVEL`]: with 1 to 9, permessage-deflate is agreed upon with clients that offer it.
    pub fn set_compression(&mut self, endpoint: EndpointId, level: u64) -> Result<()> {
        self.compression(endpoint)?.level = COMPRESSION_LEVEL.check(level)? as u8;
        Ok(())
    }

    /// Whether our messages, and the client's, may refer to earlier ones. It makes them smaller, and costs each
    /// client a context of its own for each direction; without it (the default), a client costs nothing.
    pub fn set_compression_takeover(&mut self, endpoint: EndpointId, ours: bool, theirs: bool) -> Result<()> {
        let compression = self.compression(endpoint)?;
        (compression.server_takeover, compression.client_takeover) = (ours, theirs);
        let bits = |takeover| if takeover { COMPRESSION_WINDOW.default as u8 } else { 15 };
        (compression.server_bits, compression.client_bits) = (bits(ours), bits(theirs));
        Ok(())
    }

    /// Sets [`COMPRESSION_WINDOW`] for what we and what the client compresses: 15 without takeover, 12 with it,
    /// unless this is called after [`Config::set_compression_takeover`]. A client that does not let us choose its
    /// window is inflated with 15 bits.
    pub fn set_compression_window(&mut self, endpoint: EndpointId, ours: u64, theirs: u64) -> Result<()> {
        let (ours, theirs) = (COMPRESSION_WINDOW.check(ours)?, COMPRESSION_WINDOW.check(theirs)?);
        let compression = self.compression(endpoint)?;
        (compression.server_bits, compression.client_bits) = (ours as u8, theirs as u8);
        Ok(())
    }

    /// Sets [`COMPRESSION_MEMORY`].
    pub fn set_compression_memory(&mut self, endpoint: EndpointId, level: u64) -> Result<()> {
        self.compression(endpoint)?.memory = COMPRESSION_MEMORY.check(level)? as u8;
        Ok(())
    }

    /// Sets [`COMPRESSION_THRESHOLD`], and which kinds of messages are compressed.
    pub fn set_compression_of(
        &mut self,
        endpoint: EndpointId,
        threshold: u64,
        text: bool,
        binary: bool,
    ) -> Result<()> {
        let threshold = COMPRESSION_THRESHOLD.check(threshold)?;
        let compression = self.compression(endpoint)?;
        (compression.threshold, compression.text, compression.binary) = (threshold, text, binary);
        Ok(())
    }

    /// Sets [`COMPRESSION_RATIO`].
    pub fn set_compression_ratio(&mut self, endpoint: EndpointId, ratio: u64) -> Result<()> {
        self.compression(endpoint)?.ratio = COMPRESSION_RATIO.check(ratio)? as u32;
        Ok(())
    }
}
