//! Calls that decide on handshakes and answer requests.

use crate::config::{ClientId, RequestId};
use crate::error::Result;
use crate::front::{Accepting, Answer, Field, handshake_fields};

use super::Handle;

impl Handle {
    /// Accepts a handshake: its id is the client's from now on, and what is sent to it reaches it first. One ACCEPT
    /// and one CLOSE follow. `subprotocol`: one of those offered; empty for none; `None` for what the endpoint's
    /// list makes of the offer. CLOSED when it is decided already, or gone.
    pub fn accept(
        &self,
        handshake: ClientId,
        subprotocol: Option<&str>,
        headers: &[Field<'_>],
        user_data: u64,
    ) -> Result<()> {
        self.accept_as(handshake, subprotocol, headers, user_data, false)
    }

    /// The same for a client whose messages come in chunks, whatever its endpoint says: see
    /// [`crate::Config::set_streaming`].
    pub fn accept_streaming(
        &self,
        handshake: ClientId,
        subprotocol: Option<&str>,
        headers: &[Field<'_>],
        user_data: u64,
    ) -> Result<()> {
        self.accept_as(handshake, subprotocol, headers, user_data, true)
    }

    pub(crate) fn accept_as(
        &self,
        handshake: ClientId,
        subprotocol: Option<&str>,
        headers: &[Field<'_>],
        user_data: u64,
        streams: bool,
    ) -> Result<()> {
        self.here()?;
        let headers = handshake_fields(headers)?;
        let foresee = |accepting: &Accepting<'_>| {
            let Accepting { id, endpoint, user_data, request } = *accepting;
            self.shared.foresee(id, endpoint, user_data, streams, request)
        };
        self.front.pending.accept(handshake.0, subprotocol, headers, user_data, foresee)?;
        self.shared.nudge();
        Ok(())
    }

    /// Rejects a handshake with a response: 300 to 599. CLOSED when it is decided already, or gone.
    pub fn reject(&self, handshake: ClientId, status: u32, headers: &[Field<'_>], body: &[u8]) -> Result<()> {
        self.here()?;
        self.front.pending.reject(handshake.0, Answer::new(status, 300..=599, headers, body)?)
    }

    /// Answers a request with a response: 200 to 599. CLOSED when it is answered already, or gone.
    pub fn respond(&self, request: RequestId, status: u32, headers: &[Field<'_>], body: &[u8]) -> Result<()> {
        self.here()?;
        self.front.pending.respond(request.0, Answer::new(status, 200..=599, headers, body)?)
    }

    /// A header of a handshake or request that waits, its lines joined; `None` if there is none.
    pub fn pending_header(&self, id: u64, name: &str) -> Result<Option<Vec<u8>>> {
        self.here()?;
        self.front.pending.header(id, name)
    }
}
