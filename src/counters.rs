//! What is counted for each client: live, and in its CLOSE event.

use std::sync::atomic::{AtomicU64, Ordering};

/// A client's counters and timestamps. Times are wall clock, nanoseconds since 1970; 0 means never.
///
/// It is part of the C ABI (`wsgate_client_counters`): fields are only ever added at the end, and `size`
/// tells how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Info {
    /// How many bytes of this struct the library filled.
    pub size: u64,
    /// Bytes read from the socket.
    pub bytes_in: u64,
    /// Bytes written to the socket.
    pub bytes_out: u64,
    /// Frames of every kind that the client began.
    pub frames_in: u64,
    /// Frames of every kind that were queued for it.
    pub frames_out: u64,
    /// Whole messages from the client.
    pub messages_in: u64,
    /// Messages that were queued for it.
    pub messages_out: u64,
    /// Pings from the client.
    pub pings_in: u64,
    /// Pings to the client.
    pub pings_out: u64,
    /// Pongs from the client, asked for or not.
    pub pongs_in: u64,
    /// Pongs to the client.
    pub pongs_out: u64,
    /// Pings that it has not answered; a pong answers all up to the one it carries.
    pub unanswered_pings: u64,
    /// Bytes that wait in its outbox.
    pub queued_bytes: u64,
    /// Messages for it that were dropped.
    pub dropped: u64,
    /// When it was accepted.
    pub connected_ns: u64,
    /// When its CLOSE event was raised.
    pub closed_ns: u64,
    /// When bytes were last read.
    pub last_read_ns: u64,
    /// When bytes were last written.
    pub last_send_ns: u64,
    /// When a message last arrived.
    pub last_data_read_ns: u64,
    /// When a message was last queued.
    pub last_data_send_ns: u64,
    /// When the last ping was sent.
    pub last_heartbeat_ns: u64,
    /// How long the latest answered ping took, in nanoseconds.
    pub round_trip_ns: u64,
}

/// `size_of::<Info>()`, as `size` carries it.
pub(crate) const INFO_SIZE: usize = size_of::<Info>();

impl Info {
    /// The bytes as they lie in memory.
    pub(crate) fn to_bytes(self) -> [u8; INFO_SIZE] {
        let words = [
            INFO_SIZE as u64,
            self.bytes_in,
            self.bytes_out,
            self.frames_in,
            self.frames_out,
            self.messages_in,
            self.messages_out,
            self.pings_in,
            self.pings_out,
            self.pongs_in,
            self.pongs_out,
            self.unanswered_pings,
            self.queued_bytes,
            self.dropped,
            self.connected_ns,
            self.closed_ns,
            self.last_read_ns,
            self.last_send_ns,
            self.last_data_read_ns,
            self.last_data_send_ns,
            self.last_heartbeat_ns,
            self.round_trip_ns,
        ];
        let mut bytes = [0; INFO_SIZE];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    /// Reads the front of a CLOSE event's data; what follows is the reason.
    pub fn split(data: &[u8]) -> Option<(Self, &[u8])> {
        let size = usize::try_from(u64::from_ne_bytes(data.get(..8)?.try_into().ok()?)).ok()?;
        let (head, reason) = (data.get(..size)?, data.get(size..)?);
        let mut words = head.chunks_exact(8).map(|w| w.try_into().map(u64::from_ne_bytes).unwrap_or(0));
        let mut word = || words.next().unwrap_or(0);
        Some((
            Self {
                size: word(),
                bytes_in: word(),
                bytes_out: word(),
                frames_in: word(),
                frames_out: word(),
                messages_in: word(),
                messages_out: word(),
                pings_in: word(),
                pings_out: word(),
                pongs_in: word(),
                pongs_out: word(),
                unanswered_pings: word(),
                queued_bytes: word(),
                dropped: word(),
                connected_ns: word(),
                closed_ns: word(),
                last_read_ns: word(),
                last_send_ns: word(),
                last_data_read_ns: word(),
                last_data_send_ns: word(),
                last_heartbeat_ns: word(),
                round_trip_ns: word(),
            },
            reason,
        ))
    }
}

/// A server's figures.
///
/// It is part of the C ABI (`wsgate_server_counters`): fields are only ever added at the end, and `size` tells
/// how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct ServerInfo {
    /// How many bytes of this struct the library filled.
    pub size: u64,
    /// Clients whose ACCEPT was raised or is about to be, and whose CLOSE was not.
    pub clients: u64,
    /// Of them, those that wait to become clients because the event queue is full.
    pub arrivals: u64,
    /// Events that wait to be taken; 0 for a server with callbacks.
    pub events: u64,
    /// Their bytes.
    pub event_bytes: u64,
    /// Log lines that were dropped because the event queue was full.
    pub dropped_logs: u64,
    /// Clients that were closed because all outboxes together were over their budget.
    pub evicted: u64,
    /// Memory that holds what waits in the outboxes of all servers in the process.
    pub outbox_bytes: u64,
    /// What it may be.
    pub outbox_budget: u64,
    /// Connections that are open, clients among them.
    pub connections: u64,
    /// Handshakes, requests and refusals that wait for the application.
    pub waiting: u64,
    /// Connections that were ever accepted, those that were refused at once among them.
    pub connections_total: u64,
    /// Connections refused because there were too many in all.
    pub connections_refused: u64,
    /// Connections refused because there were too many from their address.
    pub address_refused: u64,
    /// Requests that were ever begun, handshakes among them.
    pub requests_total: u64,
    /// Requests refused because too many waited for the application.
    pub requests_refused: u64,
    /// Handshakes that the application accepted.
    pub accepted: u64,
    /// Handshakes that the application rejected.
    pub rejected: u64,
    /// Handshakes that ended because nobody decided in time.
    pub handshake_timeouts: u64,
    /// Handshakes whose peer left before the decision.
    pub handshakes_left: u64,
    /// Requests that ended because the application did not answer in time.
    pub request_timeouts: u64,
    /// Requests and handshakes refused for what they are: not found, not allowed, no WebSocket handshake.
    pub refused: u64,
    /// Heads that were malformed, too large or too late.
    pub bad_requests: u64,
    /// Of those, the ones that did not come in time.
    pub header_timeouts: u64,
    /// Bodies over the limit.
    pub bodies_refused: u64,
    /// Bodies that did not come in time.
    pub body_timeouts: u64,
    /// Connections that asked nothing for too long.
    pub idle_timeouts: u64,
    /// Responses whose peer took nothing for too long.
    pub write_timeouts: u64,
    /// Memory that holds the unfinished messages of all clients in the process.
    pub inbox_bytes: u64,
    /// What it may be.
    pub inbox_budget: u64,
    /// Clients of this server that were closed because it was more.
    pub overloads: u64,
}

impl ServerInfo {
    /// The bytes as they lie in memory.
    pub(crate) fn to_bytes(self) -> [u8; size_of::<Self>()] {
        let words = [
            size_of::<Self>() as u64,
            self.clients,
            self.arrivals,
            self.events,
            self.event_bytes,
            self.dropped_logs,
            self.evicted,
            self.outbox_bytes,
            self.outbox_budget,
            self.connections,
            self.waiting,
            self.connections_total,
            self.connections_refused,
            self.address_refused,
            self.requests_total,
            self.requests_refused,
            self.accepted,
            self.rejected,
            self.handshake_timeouts,
            self.handshakes_left,
            self.request_timeouts,
            self.refused,
            self.bad_requests,
            self.header_timeouts,
            self.bodies_refused,
            self.body_timeouts,
            self.idle_timeouts,
            self.write_timeouts,
            self.inbox_bytes,
            self.inbox_budget,
            self.overloads,
        ];
        let mut bytes = [0; size_of::<Self>()];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }
}

/// A number that one thread counts and any thread may look at: a relaxed load and store of the one
/// writer, which cost what a plain number costs.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A client's figures where they are counted: in its entry in the table of clients, written by its worker
/// alone, readable from everywhere. The order is that of cache lines: see [`crate::worker::Client`].
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Figures {
    pub(crate) connected_ns: Counter,
    pub(crate) round_trip_ns: Counter,

    pub(crate) bytes_in: Counter,
    pub(crate) frames_in: Counter,
    pub(crate) messages_in: Counter,
    pub(crate) last_read_ns: Counter,
    pub(crate) last_data_read_ns: Counter,
    pub(crate) pings_in: Counter,
    pub(crate) pongs_in: Counter,
    pub(crate) pongs_out: Counter,

    pub(crate) bytes_out: Counter,
    pub(crate) frames_out: Counter,
    pub(crate) messages_out: Counter,
    pub(crate) last_send_ns: Counter,
    pub(crate) last_data_send_ns: Counter,
    pub(crate) dropped: Counter,
    pub(crate) last_heartbeat_ns: Counter,
    /// Pings to the client, over 32 bits of those that it has not answered.
    pings: Counter,
}

impl Figures {
    /// Everything at 0, for a client that connects at this time.
    pub(crate) fn begin(&self, now_ns: u64) {
        for counter in [
            &self.round_trip_ns,
            &self.bytes_in,
            &self.frames_in,
            &self.messages_in,
            &self.last_read_ns,
            &self.last_data_read_ns,
            &self.pings_in,
            &self.pongs_in,
            &self.pongs_out,
            &self.bytes_out,
            &self.frames_out,
            &self.messages_out,
            &self.last_send_ns,
            &self.last_data_send_ns,
            &self.dropped,
            &self.last_heartbeat_ns,
            &self.pings,
        ] {
            counter.set(0);
        }
        self.connected_ns.set(now_ns);
    }

    /// How many pings were sent, and how many of them were not answered.
    pub(crate) fn set_pings(&self, sent: u64, unanswered: u64) {
        self.pings.set(sent << 32 | unanswered.min(u64::from(u32::MAX)));
    }

    /// What they are now. Each is right; they may be of different moments, when the worker counts meanwhile.
    pub(crate) fn info(&self, queued_bytes: u64) -> Info {
        let pings = self.pings.value();
        Info {
            size: INFO_SIZE as u64,
            bytes_in: self.bytes_in.value(),
            bytes_out: self.bytes_out.value(),
            frames_in: self.frames_in.value(),
            frames_out: self.frames_out.value(),
            messages_in: self.messages_in.value(),
            messages_out: self.messages_out.value(),
            pings_in: self.pings_in.value(),
            pings_out: pings >> 32,
            pongs_in: self.pongs_in.value(),
            pongs_out: self.pongs_out.value(),
            unanswered_pings: pings & u64::from(u32::MAX),
            queued_bytes,
            dropped: self.dropped.value(),
            connected_ns: self.connected_ns.value(),
            closed_ns: 0,
            last_read_ns: self.last_read_ns.value(),
            last_send_ns: self.last_send_ns.value(),
            last_data_read_ns: self.last_data_read_ns.value(),
            last_data_send_ns: self.last_data_send_ns.value(),
            last_heartbeat_ns: self.last_heartbeat_ns.value(),
            round_trip_ns: self.round_trip_ns.value(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_the_struct_and_the_reason_follows() {
        let info = Info {
            size: INFO_SIZE as u64,
            bytes_in: 1,
            dropped: 13,
            last_heartbeat_ns: 20,
            ..Info::default()
        };
        let mut data = info.to_bytes().to_vec();
        data.extend_from_slice(b"bye");
        assert_eq!(Info::split(&data), Some((info, &b"bye"[..])));
        assert_eq!(Info::split(&data[..20]), None);
        assert_eq!(INFO_SIZE, 176);
    }
}
