//! Messages in parts, both ways.

use crate::config::{ClientId, Compress};
use crate::error::Result;

use super::Handle;

impl Handle {
    /// Begins a text message that is sent in parts. What else is sent to this client waits until it has ended.
    /// BUSY while another is open.
    pub fn begin_text(&self, client: ClientId) -> Result<()> {
        self.begin(client, false, Compress::BySettings)
    }

    /// Begins a binary message that is sent in parts.
    pub fn begin_binary(&self, client: ClientId) -> Result<()> {
        self.begin(client, true, Compress::BySettings)
    }

    /// Begins a message that is sent in parts, and compressed as `compress` says, where the client can take that.
    pub fn begin(&self, client: ClientId, binary: bool, compress: Compress) -> Result<()> {
        self.poster()?.begin(client, binary, compress)
    }

    /// Sends the next part of the message that was begun. Text may be cut within a character. OK means queued;
    /// FULL: DRAIN will come, and then any part fits; INVALID: no message is open.
    pub fn send_chunk(&self, client: ClientId, data: &[u8]) -> Result<()> {
        self.poster()?.part(client, data, false)
    }

    /// Ends the message that was begun, with its last part, which may be empty; then it is never FULL.
    pub fn end_message(&self, client: ClientId, data: &[u8]) -> Result<()> {
        self.poster()?.part(client, data, true)
    }

    /// Gives up the message that was begun. What the peer has of it can't be taken back: the client is closed with
    /// 1011.
    pub fn abort_message(&self, client: ClientId) -> Result<()> {
        self.poster()?.abort(client)
    }

    /// The application does not want the rest of a message that comes in chunks: the number is BEGIN's value. Its
    /// END comes nevertheless, and what comes until then fills no window. Of one that is over, nothing happens.
    pub fn discard(&self, client: ClientId, message: u64) -> Result<()> {
        self.poster()?.discard(client, message)
    }
}
