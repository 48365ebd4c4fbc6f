//! The slot of an extension that transforms messages (RFC 6455 §9.2, RSV1).

use super::Failure;

/// Transforms the payload of messages that carry RSV1: permessage-deflate fills this slot.
///
/// One codec serves one client, in both directions.
pub trait Codec: Send {
    /// Decodes the next piece of a message and appends what it yields to `out`. `end` comes with the
    /// message's last piece. Must fail with 1009, rather than let `out` grow past `limit` bytes.
    fn decode(&mut self, piece: &[u8], end: bool, out: &mut Vec<u8>, limit: u64) -> Result<(), Failure>;

    /// Encodes a whole message into `out`; false when it should go out as it is.
    fn encode(&mut self, payload: &[u8], out: &mut Vec<u8>) -> bool;
}
