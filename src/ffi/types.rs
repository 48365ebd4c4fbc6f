//! The constants and structs of the header.

use std::ffi::c_void;

pub use crate::counters::{Info as ClientCounters, ServerInfo as ServerCounters};

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum EventKind {
    /// A handshake waits for `wsgate_accept` or `wsgate_reject`; `client` is the id of both. `data` is the
    /// request, as for ACCEPT, with the subprotocols that are offered, separated by ", ". Ends by the
    /// decision or by HANDSHAKE_GONE.
    Handshake = 1,
    /// The handshake `client` needs no decision any more, and its id is stale. `code`: 0 when the peer has
    /// left, else the status that it was told, 503 when the time was over or the server stops.
    HandshakeGone = 2,
    /// A connection became a client. `data`, native-endian: u32 header_count, u32 method_length,
    /// u32 target_length, u32 peer_length, u32 local_length, u32 subprotocol_length, u32 parameter_count,
    /// u32 body_length; header_count and then parameter_count times { u32 name_length, u32 value_length };
    /// then the bytes, without separators: method, target, peer ("127.0.0.1:5000"), local, subprotocol,
    /// each header's name and value, each path parameter's name and value, body (of a REQUEST alone).
    Accept = 3,
    /// A whole message; `data` is its payload. Text unless `WSGATE_EVENT_FLAG_BINARY` is set; text is
    /// valid UTF-8.
    Message = 4,
    /// A message begins that comes in chunks: see `wsgate_endpoint_set_streaming`. `value` is its number; each
    /// client's count from 1. Text unless `WSGATE_EVENT_FLAG_BINARY` is set.
    Begin = 5,
    /// What comes next of it: `data`, 1 byte to 64 KiB. `value` and `flags` as of its BEGIN. Text may be cut
    /// within a character; what has come so far may be UTF-8.
    Chunk = 6,
    /// It has come whole, and text was UTF-8; or `WSGATE_EVENT_FLAG_DISCARDED` is set. `value` and `flags` as of
    /// its BEGIN. When the client ends first, its CLOSE comes and no END.
    End = 7,
    /// The answer to a ping: `value` is the ping's ticket, `data` a u64, the round trip in nanoseconds.
    Pong = 8,
    /// The outbox that answered FULL has room again: half of its limit.
    Drain = 9,
    /// What became of a broadcast or multicast that asked: `value` is its ticket, `data` a
    /// `wsgate_outcome` and then the ids of the clients that failed, a u64 each. Comes once for each call
    /// that asked, and before STOPPED. `WSGATE_EVENT_FLAG_TRUNCATED`: not all of these ids are there; those
    /// that wait to be told are 1,048,576 at most, for all calls together. The counts are always right.
    Outcome = 10,
    /// The client is gone, and its id stale. `code` is the close code (RFC 6455 section 7.4; 1005: the
    /// peer gave none; 1006: the connection was lost), `value` a `wsgate_close_cause`;
    /// `WSGATE_EVENT_FLAG_CLEAN`: both Close frames were exchanged. `data` is a `wsgate_client_counters`,
    /// whose first word is its size, and then the reason, UTF-8, to the end. Comes once for each ACCEPT.
    Close = 11,
    /// A plain request waits for `wsgate_respond`; `client` is its id. `data` is the request, as for ACCEPT.
    /// With `WSGATE_EVENT_FLAG_REFUSED` the server refuses it with the status in `code`, and that response
    /// may be shaped. Ends by the response; when the peer leaves, or the time is over, that gets CLOSED.
    Request = 12,
    /// A log line: `code` is a `wsgate_log_level`, `data` the text, "target: message".
    Log = 13,
    /// The server has stopped: its last event, after every CLOSE.
    Stopped = 14,
}

/// Bits of an event's `flags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum EventFlag {
    /// MESSAGE, BEGIN, CHUNK, END: it is binary.
    Binary = 1,
    /// CLOSE: both Close frames were exchanged.
    Clean = 2,
    /// ACCEPT: permessage-deflate was agreed upon.
    Compressed = 4,
    /// END: the application has discarded the message before that, so that CHUNKs may be missing.
    Discarded = 0x10,
    /// REQUEST: the server refuses it.
    Refused = 0x100,
    /// OUTCOME: more clients failed than there are ids.
    Truncated = 0x1000000,
}

/// Bits of `wsgate_accept`'s `flags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum AcceptFlag {
    /// This client's messages come in chunks, whatever its endpoint says: `wsgate_endpoint_set_streaming`.
    Streaming = 0x10,
}

/// Why a client was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum CloseCause {
    /// The peer closed first.
    Peer = 1,
    /// The application closed.
    Application = 2,
    /// The peer broke the protocol (1002, 1007).
    Protocol = 3,
    /// The peer went over a limit, or sent what the endpoint does not take (1003, 1008, 1009).
    Limit = 4,
    /// Too many pings stayed unanswered (1008).
    Heartbeat = 5,
    /// The peer took broadcasts too slowly, or its queue was the largest when all together were over their
    /// budget (1013).
    Slow = 6,
    /// The server stopped (1001).
    Shutdown = 7,
    /// The connection ended without a Close frame (1006).
    Lost = 8,
}

/// What becomes of a broadcast for a client whose outbox has no room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum SlowConsumer {
    /// The client is closed with 1013 "Too slow".
    Close = 0,
    /// This client does not get it; its info counts it as dropped.
    DropNewest = 1,
    /// The oldest broadcasts that wait for the client are dropped, and counted, until it has room. What was
    /// sent to the client alone stays, and so does what has begun to leave; if that is not enough, the
    /// client does not get the new one.
    DropOldest = 2,
}

/// What becomes of a client that sends more in a second than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum RatePolicy {
    /// It is not read until the second is over.
    Pause = 0,
    /// It is closed with 1008 "Rate limit exceeded".
    Close = 1,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum LogLevel {
    /// Nothing.
    Off = 0,
    /// What the operator must look at.
    Error = 1,
    /// What is odd, and survived.
    Warn = 2,
    /// What a server's life is made of.
    Info = 3,
    /// Each refusal.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

/// Bits of the `flags` of what is sent; without any of them, it is text, and compressed by its endpoint's
/// settings (`wsgate_endpoint_set_compression_of`). A client that did not agree upon compression is sent
/// everything as it is, without a word, and so is one that a message would not get smaller for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum SendFlag {
    /// A binary message.
    Binary = 1,
    /// It is not compressed: it is already, or has a secret beside what a stranger can choose.
    CompressNever = 0x100,
    /// It is compressed, whatever its length and kind.
    CompressAlways = 0x200,
}

/// The operations of `wsgate_submit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum Op {
    /// Send the payload as text to the client `target`.
    SendText = 1,
    /// Send the payload as binary to the client `target`.
    SendBinary = 2,
    /// Ping the client `target`, with `ticket`.
    Ping = 3,
    /// Close the client `target`: `flags` is the close code, the payload the reason.
    Close = 4,
    /// Broadcast the payload as text to the gateway `target`, but not to the clients in the ids.
    BroadcastText = 5,
    /// Broadcast the payload as binary to the gateway `target`, but not to the clients in the ids.
    BroadcastBinary = 6,
    /// Add the clients in the ids to the gateway `target`.
    GatewayAdd = 7,
    /// Remove the clients in the ids from the gateway `target`.
    GatewayRemove = 8,
    /// Send each client in the ids a text of its own: the payload is the texts' lengths, 32 bits each, and
    /// then the texts without gaps. It stands for as many SEND_TEXT as it has ids, and has a status for each
    /// of them. `target` is 0.
    SendEachText = 9,
    /// The same, of binary messages.
    SendEachBinary = 10,
    /// Accept the handshake `target`, with `ticket` as user data; the payload is the subprotocol, a NUL, and
    /// the headers (as for `wsgate_accept`), or empty: the endpoint's subprotocol, and no headers. `flags`
    /// as for `wsgate_accept`.
    Accept = 16,
    /// Reject the handshake `target`: `flags` is the status, the payload the headers and then the body;
    /// `ticket` is the headers' length.
    Reject = 17,
    /// Answer the request `target`: `flags`, payload and `ticket` as for REJECT.
    Respond = 18,
    /// Of what the client `target` said, `ticket` bytes and `flags` messages have been dealt with; as
    /// `wsgate_client_grant`.
    ClientGrant = 32,
    /// Stop reading the client `target`.
    ClientPause = 33,
    /// Read the client `target` again.
    ClientResume = 34,
    /// Send the payload as text to those clients of the gateway `target` that are in the ids.
    MulticastText = 48,
    /// Send the payload as binary to those clients of the gateway `target` that are in the ids.
    MulticastBinary = 49,
    /// End the gateway `target`.
    GatewayFree = 50,
    /// Begin a text message to the client `target`; as `wsgate_client_begin_text`. `flags`: `wsgate_record_flag` bits
    /// that say how it is compressed.
    BeginText = 64,
    /// Begin a binary message to the client `target`.
    BeginBinary = 65,
    /// Send the payload as the next part of the message that was begun.
    Chunk = 66,
    /// Send the payload, which may be empty, as its last part.
    End = 67,
    /// Give it up: the client `target` is closed.
    Abort = 68,
    /// Of the message of the number `ticket`, which the client `target` sends, the rest is not wanted; as
    /// `wsgate_client_discard`.
    Discard = 69,
}

/// Bits of a record's `flags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum RecordFlag {
    /// A broadcast or multicast: raise OUTCOME with the record's ticket, as
    /// `wsgate_gateway_broadcast_with_outcome` does.
    Outcome = 1,
    /// A send, broadcast or multicast: as `WSGATE_SEND_FLAG_COMPRESS_NEVER`.
    CompressNever = 0x100,
    /// A send, broadcast or multicast: as `WSGATE_SEND_FLAG_COMPRESS_ALWAYS`.
    CompressAlways = 0x200,
}

/// The front of an OUTCOME's data; as many ids of clients that failed as fit into the event's length follow.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Outcome {
    /// The gateway that was sent to; it may be gone.
    pub gateway: u64,
    /// How many clients the message has left for.
    pub delivered: u64,
    /// How many it has not.
    pub failed: u64,
}

/// One event. In a batch, step by the batch's `event_size`: events may grow at their end.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Event {
    /// A `wsgate_event_kind`. Ignore what you don't know.
    pub kind: u32,
    /// `wsgate_event_flag` bits.
    pub flags: u32,
    /// The client's id, or that of the handshake or request; 0 for events of the server.
    pub client: u64,
    /// What `wsgate_client_set_user_data` gave this client; 0 else.
    pub user_data: u64,
    /// The payload; see the kind. Borrowed: in a callback until it returns, in a batch until the batch
    /// is taken into again.
    pub data: *const c_void,
    /// The payload's length in bytes.
    pub length: u64,
    /// A close code, log level or HTTP status; see the kind.
    pub code: u32,
    /// The number of the client's endpoint.
    pub endpoint: u32,
    /// A ticket or cause; see the kind.
    pub value: u64,
    /// Wall clock, nanoseconds since 1970.
    pub time_ns: u64,
}

/// Events that were taken, and one block with all their payloads.
#[derive(Debug)]
#[repr(C)]
pub struct Batch {
    /// `count` events, `event_size` bytes apart.
    pub events: *const Event,
    /// How far one event lies from the next.
    pub event_size: u64,
    /// How many there are.
    pub count: u64,
    /// The block that every event's `data` points into: in the order of the events, without gaps.
    pub payload: *const c_void,
    /// Its length in bytes.
    pub payload_length: u64,
    /// How many events still waited in the server.
    pub pending: u64,
}

/// The head of one record for `wsgate_submit`: 32 bytes. Then come `ids` ids of 8 bytes, `length` bytes
/// of payload, and padding up to `size`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Record {
    /// A `wsgate_op`.
    pub op: u16,
    /// See the operation: a close code, or `wsgate_record_flag` bits; 0 else. A send, broadcast or multicast
    /// with a bit that is none is INVALID.
    pub flags: u16,
    /// The whole record with its padding, a multiple of 8.
    pub size: u32,
    /// A client or a gateway.
    pub target: u64,
    /// The caller's own number, which comes back in events.
    pub ticket: u64,
    /// How many ids follow.
    pub ids: u32,
    /// How many bytes of payload follow the ids.
    pub length: u32,
}

const _: () = {
    assert!(size_of::<Event>() == 64 && size_of::<crate::delivery::Record>() == 64);
    assert!(std::mem::offset_of!(Event, data) == std::mem::offset_of!(crate::delivery::Record, data));
    assert!(std::mem::offset_of!(Event, time_ns) == 56);
    assert!(size_of::<Outcome>() == 24);
    assert!(
        size_of::<Record>() == 32 && size_of::<ClientCounters>() == 176 && size_of::<ServerCounters>() == 248
    );
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::event::{self, Cause, Kind};

    #[test]
    fn the_constants_are_the_engines() {
        for (kind, number) in [
            (Kind::Handshake, EventKind::Handshake as u32),
            (Kind::HandshakeGone, EventKind::HandshakeGone as u32),
            (Kind::Accept, EventKind::Accept as u32),
            (Kind::Message, EventKind::Message as u32),
            (Kind::Begin, EventKind::Begin as u32),
            (Kind::Chunk, EventKind::Chunk as u32),
            (Kind::End, EventKind::End as u32),
            (Kind::Pong, EventKind::Pong as u32),
            (Kind::Drain, EventKind::Drain as u32),
            (Kind::Outcome, EventKind::Outcome as u32),
            (Kind::Close, EventKind::Close as u32),
            (Kind::Request, EventKind::Request as u32),
            (Kind::Log, EventKind::Log as u32),
            (Kind::Stopped, EventKind::Stopped as u32),
        ] {
            assert_eq!(kind as u32, number, "{kind:?}");
        }
        for (cause, number) in [
            (Cause::Peer, CloseCause::Peer as u64),
            (Cause::Application, CloseCause::Application as u64),
            (Cause::Protocol, CloseCause::Protocol as u64),
            (Cause::Limit, CloseCause::Limit as u64),
            (Cause::Heartbeat, CloseCause::Heartbeat as u64),
            (Cause::Slow, CloseCause::Slow as u64),
            (Cause::Shutdown, CloseCause::Shutdown as u64),
            (Cause::Lost, CloseCause::Lost as u64),
        ] {
            assert_eq!(cause as u64, number, "{cause:?}");
        }
        assert_eq!(
            [
                event::FLAG_BINARY,
                event::FLAG_CLEAN,
                event::FLAG_COMPRESSED,
                event::FLAG_DISCARDED,
                event::FLAG_REFUSED,
                event::FLAG_TRUNCATED
            ],
            [
                EventFlag::Binary,
                EventFlag::Clean,
                EventFlag::Compressed,
                EventFlag::Discarded,
                EventFlag::Refused,
                EventFlag::Truncated
            ]
            .map(|flag| flag as u32)
        );
        for (policy, number) in [
            (config::SlowConsumer::Close, SlowConsumer::Close),
            (config::SlowConsumer::DropNewest, SlowConsumer::DropNewest),
            (config::SlowConsumer::DropOldest, SlowConsumer::DropOldest),
        ] {
            assert_eq!(policy as u32, number as u32, "{policy:?}");
        }
        assert_eq!(config::RatePolicy::Pause as u32, RatePolicy::Pause as u32);
        assert_eq!(config::RatePolicy::Close as u32, RatePolicy::Close as u32);
        assert_eq!(config::LOG_LEVEL.max, LogLevel::Trace as u64);
        assert_eq!(config::LOG_LEVEL.default, LogLevel::Warn as u64);
    }
}
