//! One client as a state machine that owns no I/O.
//!
//! A driver gives it what was read ([`Connection::on_bytes`]), the end of the stream
//! ([`Connection::on_eof`]) and the passing of its deadline ([`Connection::on_timer`]); it answers
//! through a [`Port`], and with an [`Ending`] when the client is over. What is to be written waits in
//! the driver's [`outbox`].

pub(crate) mod outbox;

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;

use crate::clock::Now;
use crate::counters::Info;
use crate::event::Cause;
use crate::protocol::{self, Codec, Decoder, Failure, Item, Limits, Opcode};

/// What a connection asks of its driver.
pub(crate) trait Port {
    /// A message came.
    fn message(&mut self, binary: bool, data: &[u8]);
    /// The ping with this ticket was answered after this time.
    fn pong(&mut self, ticket: u64, round_trip: Duration);
    /// Queues a control frame.
    fn control(&mut self, opcode: Opcode, payload: &[u8]);
    /// Whether the application has not yet dealt with what this client said, in this read
    /// (`just_now`) or before, so that its answers could still come.
    fn is_owed_answers(&self, just_now: bool) -> bool;
    /// Until when a closing handshake that begins now may take.
    fn close_deadline(&self) -> Instant;
    /// Whether the outbox is over its limit: then pings go unanswered, rather than let a peer that
    /// does not read fill our memory with pongs (RFC 6455 §5.5.3 allows to answer the latest only).
    fn congested(&self) -> bool;
}

/// How a client ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) code: u16,
    pub(crate) cause: Cause,
    /// Both Close frames were exchanged.
    pub(crate) clean: bool,
    pub(crate) reason: Vec<u8>,
}

impl Ending {
    /// The connection broke without a Close frame.
    fn lost() -> Self {
        Self { code: 1006, cause: Cause::Lost, clean: false, reason: Vec::new() }
    }

    /// The peer can't be listened to any longer.
    fn failed(failure: Failure) -> Self {
        Self {
            code: failure.code,
            cause: if failure.is_limit() { Cause::Limit } else { Cause::Protocol },
            clean: false,
            reason: failure.reason.as_bytes().to_vec(),
        }
    }
}

#[derive(Debug)]
enum State {
    Open,
    /// The peer has closed or failed, but the application has not dealt with all that it said before:
    /// the end waits for that, so that the answers go out first, or for the deadline.
    Held(Stop, Instant),
    /// Our Close frame is out, or on its way; the peer's is awaited until the deadline.
    Closing(Ending, Instant),
    /// The ending was told. What is still queued goes out; what comes in is not looked at.
    Ended,
}

/// One client, from the handshake's end to its own.
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) endpoint: u32,
    pub(crate) info: Info,
    decoder: Decoder,
    codec: Option<Box<dyn Codec>>,
    state: State,
    /// The number of our latest ping.
    pings: u64,
    /// The number of the latest ping that was answered.
    answered: u64,
}

impl Connection {
    pub(crate) fn new(id: u64, endpoint: u32, codec: Option<Box<dyn Codec>>, now: Now) -> Self {
        Self {
            id,
            endpoint,
            info: Info { connected_ns: now.wall_ns, ..Info::default() },
            decoder: Decoder::default(),
            codec,
            state: State::Open,
            pings: 0,
            answered: 0,
        }
    }

    /// Whether messages may be queued for it.
    pub(crate) fn takes_messages(&self) -> bool {
        matches!(self.state, State::Open | State::Held(..))
    }

    /// Whether its end waits for the application: see [`Connection::resume`].
    pub(crate) fn is_held(&self) -> bool {
        matches!(self.state, State::Held(..))
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// When [`Connection::on_timer`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Closing(_, deadline) | State::Held(_, deadline) => Some(deadline),
            _ => None,
        }
    }

    /// The codec that messages to this client go through.
    pub(crate) fn codec(&mut self) -> Option<&mut (dyn Codec + 'static)> {
        self.codec.as_deref_mut()
    }

    /// Takes what was read. Unmasks in place; whatever follows the client's end is ignored.
    pub(crate) fn on_bytes(
        &mut self,
        bytes: &mut [u8],
        limits: &Limits,
        now: Now,
        port: &mut impl Port,
    ) -> Option<Ending> {
        if self.has_ended() || self.is_held() {
            return None;
        }
        self.info.bytes_in += bytes.len() as u64;
        self.info.last_read_ns = now.wall_ns;
        let before = self.info.messages_in;
        let stop = self.read(bytes, limits, now, port);
        self.decoder.rest();
        self.info.frames_in = self.decoder.frames();
        let stop = stop?;
        if matches!(self.state, State::Open) && port.is_owed_answers(self.info.messages_in != before) {
            self.state = State::Held(stop, port.close_deadline());
            return None;
        }
        Some(self.finish(stop, port))
    }

    /// The application has dealt with all that a held client said, or has had its time.
    pub(crate) fn resume(&mut self, port: &mut impl Port) -> Option<Ending> {
        match std::mem::replace(&mut self.state, State::Open) {
            State::Held(stop, _) => Some(self.finish(stop, port)),
            other => {
                self.state = other;
                None
            }
        }
    }

    fn finish(&mut self, stop: Stop, port: &mut impl Port) -> Ending {
        match stop {
            Stop::Close(code, reason) => self.peer_closed(code, reason, port),
            Stop::Failure(failure) => self.fail(failure, port),
        }
    }

    fn read(
        &mut self,
        mut bytes: &mut [u8],
        limits: &Limits,
        now: Now,
        port: &mut impl Port,
    ) -> Option<Stop> {
        while !bytes.is_empty() {
            let (taken, item) = match self.decoder.next(bytes, limits, self.codec.as_deref_mut()) {
                Ok(step) => step,
                Err(failure) => return Some(Stop::Failure(failure)),
            };
            match item {
                None => {}
                Some(Item::Message { binary, data }) => {
                    self.info.messages_in += 1;
                    self.info.last_data_read_ns = now.wall_ns;
                    // Between our Close frame and the peer's, what it still says is not delivered.
                    if matches!(self.state, State::Open) {
                        port.message(binary, data);
                    }
                }
                Some(Item::Ping(payload)) => {
                    self.info.pings_in += 1;
                    if matches!(self.state, State::Open) && !port.congested() {
                        self.info.pongs_out += 1;
                        port.control(Opcode::Pong, payload);
                    }
                }
                Some(Item::Pong(payload)) => {
                    self.info.pongs_in += 1;
                    if let Some(ping) = Ping::parse(payload) {
                        // A number that we never sent, or one answered already, is no answer.
                        if ping.number > self.answered
                            && ping.number <= self.pings
                            && ping.seal == ping.sealed_by(self.id)
                        {
                            self.answered = ping.number;
                            self.info.unanswered_pings = self.pings - self.answered;
                            let elapsed = now.wall_ns.saturating_sub(ping.sent_ns);
                            port.pong(ping.ticket, Duration::from_nanos(elapsed));
                        }
                    }
                }
                Some(Item::Close(payload)) => {
                    return Some(match protocol::parse_close(payload) {
                        Ok((code, reason)) => Stop::Close(code, reason.to_vec()),
                        Err(failure) => Stop::Failure(failure),
                    });
                }
            }
            bytes = bytes.get_mut(taken..).unwrap_or_default();
        }
        None
    }

    /// The peer's Close frame came: it is answered, unless it is an answer itself (§5.5.1).
    fn peer_closed(&mut self, code: u16, reason: Vec<u8>, port: &mut impl Port) -> Ending {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Closing(mut ours, _) => {
                ours.clean = true;
                ours
            }
            _ => {
                let echo = code.to_be_bytes();
                port.control(Opcode::Close, if code == 1005 { &[] } else { &echo });
                Ending { code, cause: Cause::Peer, clean: true, reason }
            }
        }
    }

    /// Fails the connection (§7.1.7): one Close frame with the failure's code, and nothing the peer
    /// says afterwards counts.
    fn fail(&mut self, failure: Failure, port: &mut impl Port) -> Ending {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Closing(ours, _) => ours,
            _ => {
                write_close(port, failure.code, failure.reason.as_bytes());
                Ending::failed(failure)
            }
        }
    }

    /// The engine failed under this client (a panic): 1011, at once.
    pub(crate) fn abort(&mut self, port: &mut impl Port) -> Option<Ending> {
        if self.has_ended() {
            return None;
        }
        let failure = Failure { code: 1011, reason: "internal error" };
        Some(Ending { cause: Cause::Application, ..self.fail(failure, port) })
    }

    /// Begins the closing handshake, whose end is awaited until `deadline`. False when the client is
    /// closing already.
    pub(crate) fn close(
        &mut self,
        code: u16,
        reason: &[u8],
        cause: Cause,
        deadline: Instant,
        port: &mut impl Port,
    ) -> bool {
        if !matches!(self.state, State::Open) {
            return false;
        }
        write_close(port, code, reason);
        self.state = State::Closing(Ending { code, cause, clean: false, reason: reason.to_vec() }, deadline);
        true
    }

    /// Sends a ping whose answer raises PONG with this ticket.
    pub(crate) fn ping(&mut self, ticket: u64, now: Now, port: &mut impl Port) {
        if !matches!(self.state, State::Open) {
            return;
        }
        self.pings += 1;
        self.info.pings_out += 1;
        self.info.unanswered_pings = self.pings - self.answered;
        self.info.last_heartbeat_ns = now.wall_ns;
        port.control(Opcode::Ping, &Ping::new(self.id, self.pings, ticket, now.wall_ns).to_bytes());
    }

    /// The stream ended, or broke.
    pub(crate) fn on_eof(&mut self) -> Option<Ending> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Open => Some(Ending::lost()),
            State::Held(Stop::Close(code, reason), _) => {
                Some(Ending { code, cause: Cause::Peer, clean: false, reason })
            }
            State::Held(Stop::Failure(failure), _) => Some(Ending::failed(failure)),
            State::Closing(ours, _) => Some(ours),
            State::Ended => None,
        }
    }

    /// The deadline may have passed: a closing handshake that the peer does not finish is cut.
    pub(crate) fn on_timer(&mut self, now: Now) -> Option<Ending> {
        if self.deadline().is_none_or(|deadline| deadline > now.instant) {
            return None;
        }
        self.on_eof()
    }
}

/// What stops the reading.
#[derive(Debug)]
enum Stop {
    Close(u16, Vec<u8>),
    Failure(Failure),
}

fn write_close(port: &mut impl Port, code: u16, reason: &[u8]) {
    let mut payload = [0; 2 + protocol::MAX_REASON];
    let reason = reason.get(..reason.len().min(protocol::MAX_REASON)).unwrap_or_default();
    payload[..2].copy_from_slice(&code.to_be_bytes());
    payload[2..2 + reason.len()].copy_from_slice(reason);
    port.control(Opcode::Close, payload.get(..2 + reason.len()).unwrap_or_default());
}

/// Our pings carry their number, so that a pong acknowledges that one and all before it, the
/// caller's ticket, and when they left; and a seal, because the application trusts its tickets (they may
/// be its pointers) and the peer could answer with another.
#[derive(Debug, PartialEq, Eq)]
struct Ping {
    number: u64,
    ticket: u64,
    sent_ns: u64,
    seal: u64,
}

/// SipHash under a key that only this process knows.
static SEAL: OnceCell<RandomState> = OnceCell::new();

impl Ping {
    fn new(client: u64, number: u64, ticket: u64, sent_ns: u64) -> Self {
        let ping = Self { number, ticket, sent_ns, seal: 0 };
        Self { seal: ping.sealed_by(client), ..ping }
    }

    fn sealed_by(&self, client: u64) -> u64 {
        let key = SEAL.get_or_init(RandomState::new);
        key.hash_one((client, self.number, self.ticket, self.sent_ns))
    }

    fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (place, word) in
            bytes.chunks_exact_mut(8).zip([self.number, self.ticket, self.sent_ns, self.seal])
        {
            place.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    fn parse(payload: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = payload.try_into().ok()?;
        let mut words = bytes.chunks_exact(8).map(|w| w.try_into().map(u64::from_be_bytes).unwrap_or(0));
        Some(Self {
            number: words.next()?,
            ticket: words.next()?,
            sent_ns: words.next()?,
            seal: words.next()?,
        })
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
