//! What can happen, and who takes it. No C, no I/O.
//!
//! Every layer raises [`Event`]s into a [`Sink`]; nobody below `delivery` knows who listens.

/// What kind of event it is. The numbers are the C ABI's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// A handshake waits for the application to accept or reject it. `client` is the id that the client will
    /// have, `data` its request (see [`crate::request`]).
    Handshake = 1,
    /// That handshake needs no decision any more: the peer has left (`code` is 0), or was told this status.
    HandshakeGone = 2,
    /// A connection became a client. `data` is its request (see [`crate::request`]).
    Accept = 3,
    /// A whole message. [`FLAG_BINARY`] tells its type.
    Message = 4,
    /// A message begins that comes in chunks, of a client that streams. `value` is its number.
    Begin = 5,
    /// The next chunk of it: `data`.
    Chunk = 6,
    /// It has ended. [`FLAG_DISCARDED`] if the application did not want all of it.
    End = 7,
    /// An answer to a ping of ours; `value` is that ping's ticket.
    Pong = 8,
    /// The outbox that refused a send has room again.
    Drain = 9,
    /// What became of a call that asked; `value` is its ticket, `data` three words, the gateway, how many
    /// clients got the message, how many did not, and the ids of those who did not. [`FLAG_TRUNCATED`].
    Outcome = 10,
    /// The client is gone: `code`, `value` (a [`Cause`]), [`FLAG_CLEAN`]; `data` is its final
    /// [`crate::counters::Info`], then the reason.
    Close = 11,
    /// A plain request waits for the application to respond. `client` is the request's id, `data` what it asks
    /// (see [`crate::request`]). With [`FLAG_REFUSED`] it is refused with the status in `code`, and the
    /// application may shape that response.
    Request = 12,
    /// A log line: `code` is the level, `data` its text.
    Log = 13,
    /// The server has stopped. The last event of all.
    Stopped = 14,
}

/// Of MESSAGE, BEGIN, CHUNK and END: the message is binary.
pub const FLAG_BINARY: u32 = 1;
/// Of CLOSE: both Close frames were exchanged.
pub const FLAG_CLEAN: u32 = 2;
/// Of ACCEPT: permessage-deflate was agreed upon.
pub const FLAG_COMPRESSED: u32 = 4;
/// Of END: the application has discarded the message.
pub const FLAG_DISCARDED: u32 = 0x10;
/// Of REQUEST: the server refuses it.
pub const FLAG_REFUSED: u32 = 0x100;

/// Of OUTCOME: not all ids of those who failed are there.
pub const FLAG_TRUNCATED: u32 = 0x100_0000;

/// Why a client was closed. The numbers are the C ABI's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Cause {
    /// The peer sent the first Close frame.
    Peer = 1,
    /// The application closed.
    Application = 2,
    /// The peer broke the protocol.
    Protocol = 3,
    /// The peer went over a limit.
    Limit = 4,
    /// Too many pings stayed unanswered.
    Heartbeat = 5,
    /// The peer took broadcasts too slowly.
    Slow = 6,
    /// The server stopped.
    Shutdown = 7,
    /// The connection ended without a Close frame.
    Lost = 8,
}

/// One event, borrowed for as long as [`Sink::event`] runs.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// What happened.
    pub kind: Kind,
    /// `FLAG_…` bits.
    pub flags: u32,
    /// The client's id; 0 for the server's own events.
    pub client: u64,
    /// The word that the application gave this client.
    pub user_data: u64,
    /// The payload; its meaning depends on the kind.
    pub data: &'a [u8],
    /// A close code or a log level.
    pub code: u32,
    /// The endpoint's number.
    pub endpoint: u32,
    /// A ticket or a cause.
    pub value: u64,
    /// Wall clock, nanoseconds since 1970.
    pub time_ns: u64,
}

impl Event<'_> {
    /// An event of the server itself, with everything else 0.
    pub(crate) fn of_server(kind: Kind, time_ns: u64) -> Self {
        Event { kind, flags: 0, client: 0, user_data: 0, data: &[], code: 0, endpoint: 0, value: 0, time_ns }
    }
}

/// Takes the events of one thread, in order.
pub trait Sink: Send {
    /// Takes one event; what it keeps of `data` it copies.
    fn event(&mut self, event: &Event<'_>);

    /// What was gathered until the turn of this number goes to the host now.
    fn flush(&mut self, _turn: u64) {}

    /// The latest turn whose events the application has dealt with, answers included.
    fn consumed(&mut self) -> u64 {
        u64::MAX
    }

    /// The caller waits for [`Sink::consumed`] to come further, and is to be woken then.
    fn await_consumption(&mut self) {}

    /// Whether events wait for the thread that runs this turn, so that it should not sleep.
    fn is_awaited(&self) -> bool {
        false
    }

    /// Whether the host is so far behind that no more should be read for it.
    fn saturated(&self) -> bool {
        false
    }
}
