//! What is sent: a payload, its kind, and whether it is compressed.

use crate::config::Compress;

/// A message to one client or to many.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The payload; UTF-8, unless it is binary.
    pub data: &'a [u8],
    /// Binary rather than text.
    pub binary: bool,
    /// Whether it is compressed, where the client can take that.
    pub compress: Compress,
}

impl<'a> Message<'a> {
    /// Text; it must be UTF-8.
    pub fn text(data: &'a [u8]) -> Self {
        Self { data, binary: false, compress: Compress::BySettings }
    }

    /// Binary.
    pub fn binary(data: &'a [u8]) -> Self {
        Self { binary: true, ..Self::text(data) }
    }

    /// The same message, compressed by another rule than the endpoint's.
    #[must_use]
    pub fn compressed(self, compress: Compress) -> Self {
        Self { compress, ..self }
    }
}
