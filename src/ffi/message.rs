//! How the C ABI says what kind of a message is sent, and whether it is compressed.

use crate::config::Compress;
use crate::error::{Error, Result};
use crate::message::Message;

use super::{RecordFlag, SendFlag};

/// The flags of a message that is neither.
pub(super) const TEXT: u32 = 0;
pub(super) const BINARY: u32 = SendFlag::Binary as u32;
const NEVER: u32 = SendFlag::CompressNever as u32;
const ALWAYS: u32 = SendFlag::CompressAlways as u32;

/// In a record, too.
const _: () =
    assert!(NEVER == RecordFlag::CompressNever as u32 && ALWAYS == RecordFlag::CompressAlways as u32);

/// A message with the flags of a call.
pub(super) fn flagged(flags: u32, data: &[u8]) -> Result<Message<'_>> {
    let (compress, rest) = compress(flags)?;
    match rest {
        TEXT => Ok(Message::text(data).compressed(compress)),
        BINARY => Ok(Message::binary(data).compressed(compress)),
        _ => Err(unknown(flags)),
    }
}

/// What flags say of compression, and those that don't.
pub(super) fn compress(flags: u32) -> Result<(Compress, u32)> {
    let compress = match flags & (NEVER | ALWAYS) {
        0 => Compress::BySettings,
        NEVER => Compress::Never,
        ALWAYS => Compress::Always,
        _ => return Err(Error::invalid(format!("flags are {flags:#x}: never and always compressed"))),
    };
    Ok((compress, flags & !(NEVER | ALWAYS)))
}

pub(super) fn unknown(flags: u32) -> Error {
    Error::invalid(format!("flags are {flags:#x}, which has a bit that is none"))
}
