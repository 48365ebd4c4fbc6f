//! One client as a state machine that owns no I/O.
//!
//! A driver gives it what was read ([`Connection::on_bytes`]), the end of the stream
//! ([`Connection::on_eof`]) and the passing of its deadline ([`Connection::on_timer`]); it answers
//! through a [`Port`], and with an [`Ending`] when the client is over. What is to be written waits in
//! the driver's [`outbox`].

pub(crate) mod block;
mod intake;
pub(crate) mod open;
pub(crate) mod outbox;
pub(crate) mod packed;
mod pending;
mod ping;

use std::time::{Duration, Instant};

use crate::clock::Now;
use crate::config::{Endpoint, RatePolicy};
use crate::counters::Figures;
use crate::event::{self, Cause, Kind};
use crate::protocol::{self, Codec, Decoder, Failure, Item, MAX_CHUNK, Opcode, deflate, reason};

use intake::{InHand, Spent};
use ping::{Ping, Pings};

/// What a connection asks of its driver.
pub(crate) trait Port {
    /// A message came.
    fn message(&mut self, binary: bool, data: &[u8]);
    /// A message in chunks: BEGIN, CHUNK or END, the message's number, and flags. True: the application has
    /// discarded the rest, from within this call.
    fn part(&mut self, kind: Kind, number: u64, flags: u32, data: &[u8]) -> bool;
    /// The ping with this ticket was answered after this time.
    fn pong(&mut self, ticket: u64, round_trip: Duration);
    /// Where this client's figures are counted.
    fn figures(&self) -> &Figures;
    /// Queues a control frame.
    fn control(&mut self, opcode: Opcode, payload: &[u8]);
    /// Whether the application has not yet dealt with what this client said, in this read
    /// (`just_now`) or before, so that its answers could still come.
    fn is_owed_answers(&self, just_now: bool) -> bool;
    /// Whether something that the application has sent, to whomever, is still on its way to the outboxes.
    fn has_mail(&self) -> bool;
    /// Whether the application has dealt with a message when it was delivered.
    fn consumes_at_once(&self) -> bool;
    /// Whether the application has asked not to be told more for now.
    fn is_paused(&self) -> bool;
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

/// Why a client is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    /// The application has paused it.
    Paused,
    /// The application has not dealt with enough of what it has.
    Window,
    /// It has sent all that it may until this time.
    Rate(u64),
}

/// What the heartbeat's timer came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// It has to look again at this time.
    At(u64),
    /// The peer has left too many pings unanswered.
    Exceeded,
    /// The client is closing: there is nothing to look at any more.
    Over,
}

#[derive(Debug)]
enum State {
    Open,
    /// The peer has closed or failed, but the application has not dealt with all that it said before, or what
    /// it sent has not come to the outboxes: the end waits for that, so that the answers go out first, or for
    /// the deadline.
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
    decoder: Decoder,
    codec: Option<Codec>,
    state: State,
    /// The message that comes in chunks, or the last that did; `None` for clients whose messages come whole.
    streamed: Option<Box<Streamed>>,
    /// How often the application was told something that it has to deal with.
    told: u64,
    pings: Pings,
    in_hand: InHand,
    spent: Spent,
}

/// A message in chunks.
#[derive(Debug, Default)]
struct Streamed {
    /// They count from 1.
    number: u64,
    /// It has begun, and not ended.
    is_open: bool,
    binary: bool,
    /// The application does not want the rest.
    discarded: bool,
}

impl Streamed {
    fn flags(&self) -> u32 {
        let binary = if self.binary { event::FLAG_BINARY } else { 0 };
        binary | if self.discarded && !self.is_open { event::FLAG_DISCARDED } else { 0 }
    }
}

impl Connection {
    /// With `streams`, messages come in chunks.
    pub(crate) fn new(id: u64, endpoint: u32, codec: Option<Codec>, streams: bool) -> Self {
        Self {
            id,
            endpoint,
            decoder: Decoder::default(),
            codec,
            streamed: streams.then(Box::default),
            told: 0,
            state: State::Open,
            pings: Pings::default(),
            in_hand: InHand::default(),
            spent: Spent::default(),
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

    pub(crate) fn has_codec(&self) -> bool {
        self.codec.is_some()
    }

    /// The codec that messages to this client go through.
    pub(crate) fn codec(&mut self) -> Option<&mut Codec> {
        self.codec.as_mut()
    }

    /// How many bytes may be read now; or why none.
    pub(crate) fn valve(&mut self, settings: &Endpoint, now: Now, port: &impl Port) -> Result<usize, Shut> {
        if matches!(self.state, State::Open) {
            if !port.is_owed_answers(false) && !settings.window.by_grants {
                self.in_hand.clear();
            }
            if port.is_paused() {
                return Err(Shut::Paused);
            }
            if self.in_hand.fills(&settings.window) {
                return Err(Shut::Window);
            }
        }
        self.spent.renew(now.wall_ns);
        if settings.rate.policy == RatePolicy::Close || self.has_ended() {
            return Ok(usize::MAX);
        }
        match self.spent.bytes_left(&settings.rate) {
            0 => Err(Shut::Rate(self.spent.until_ns())),
            _ if self.spent.frames_are_out(&settings.rate) => Err(Shut::Rate(self.spent.until_ns())),
            left => Ok(left),
        }
    }

    /// Counts what came from the peer, before any of it goes to [`Connection::on_bytes`].
    pub(crate) fn arrived(&mut self, count: usize, now: Now, port: &impl Port) {
        self.spent.add_bytes(count);
        port.figures().bytes_in.add(count as u64);
        port.figures().last_read_ns.set(now.wall_ns);
    }

    /// Takes what has arrived, and says how much of it: less than all when [`Connection::valve`] has shut.
    /// Unmasks in place; whatever follows the client's end is ignored.
    pub(crate) fn on_bytes(
        &mut self,
        bytes: &mut [u8],
        settings: &Endpoint,
        now: Now,
        port: &mut impl Port,
    ) -> (usize, Option<Ending>) {
        if self.has_ended() || self.is_held() {
            return (bytes.len(), None);
        }
        let before = self.told;
        let mut inflated = if self.codec.is_some() { deflate::lend() } else { Vec::new() };
        let (taken, stop) = self.read(bytes, settings, now, port, &mut inflated);
        deflate::give_back(inflated);
        self.decoder.rest();
        port.figures().frames_in.set(self.decoder.frames());
        let Some(stop) = stop else { return (taken, None) };
        let just_now = self.told != before;
        if matches!(self.state, State::Open) && (port.is_owed_answers(just_now) || port.has_mail()) {
            self.state = State::Held(stop, port.close_deadline());
            self.decoder = Decoder::default();
            return (bytes.len(), None);
        }
        (bytes.len(), Some(self.finish(stop, port)))
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
        bytes: &mut [u8],
        settings: &Endpoint,
        now: Now,
        port: &mut impl Port,
        inflated: &mut Vec<u8>,
    ) -> (usize, Option<Stop>) {
        let pauses = settings.rate.policy == RatePolicy::Pause;
        let counts = settings.window.by_grants || !port.consumes_at_once();
        let (mut at, mut frames) = (0, self.decoder.frames());
        loop {
            let begun = self.decoder.frames() - std::mem::replace(&mut frames, self.decoder.frames());
            self.spent.add_frames(begun);
            if !pauses && self.spent.is_over(&settings.rate) {
                return (at, Some(Stop::Failure(Failure { code: 1008, reason: reason::RATE_LIMIT })));
            }
            let is_open = matches!(self.state, State::Open);
            let is_shut = is_open && (port.is_paused() || self.in_hand.fills(&settings.window))
                || pauses && self.spent.frames_are_out(&settings.rate);
            let is_behind = self.decoder.is_behind();
            let Some(rest) = bytes.get_mut(at..).filter(|rest| (!rest.is_empty() || is_behind) && !is_shut)
            else {
                return (at, None);
            };
            if self.streamed.is_some() {
                self.decoder.stream(self.in_hand.room(&settings.window).clamp(1, MAX_CHUNK));
            }
            let step = self.decoder.next(rest, &settings.limits, self.codec.as_mut(), inflated);
            let (taken, item) = match step {
                Ok(step) => step,
                Err(failure) => return (at, Some(Stop::Failure(failure))),
            };
            at += taken;
            match item {
                None => {}
                Some(Item::Message { binary, data }) => {
                    port.figures().messages_in.add(1);
                    port.figures().last_data_read_ns.set(now.wall_ns);
                    // Between our Close frame and the peer's, what it still says is not delivered.
                    if is_open {
                        self.told += 1;
                        if counts {
                            self.in_hand.add(data.len());
                        }
                        port.message(binary, data);
                    }
                }
                Some(Item::Begin { binary }) => {
                    if let Some(message) = &mut self.streamed {
                        let number = message.number + 1;
                        **message = Streamed { number, is_open: true, binary, discarded: false };
                        if is_open {
                            self.told += 1;
                            message.discarded = port.part(Kind::Begin, number, message.flags(), &[]);
                        }
                    }
                }
                Some(Item::Chunk(data)) => {
                    port.figures().last_data_read_ns.set(now.wall_ns);
                    if let Some(message) =
                        self.streamed.as_mut().filter(|message| is_open && !message.discarded)
                    {
                        self.told += 1;
                        if counts {
                            self.in_hand.add_chunk(data.len());
                        }
                        message.discarded = port.part(Kind::Chunk, message.number, message.flags(), data);
                    }
                }
                Some(Item::End) => {
                    port.figures().messages_in.add(1);
                    if let Some(message) = &mut self.streamed {
                        message.is_open = false;
                        if is_open {
                            self.told += 1;
                            if counts {
                                self.in_hand.add_end();
                            }
                            port.part(Kind::End, message.number, message.flags(), &[]);
                        }
                    }
                }
                Some(Item::Ping(payload)) => {
                    port.figures().pings_in.add(1);
                    if is_open && !port.congested() {
                        port.figures().pongs_out.add(1);
                        port.control(Opcode::Pong, payload);
                    }
                }
                Some(Item::Pong(payload)) => {
                    port.figures().pongs_in.add(1);
                    if let Some(ping) = Ping::open(self.id, payload).filter(|ping| self.pings.answer(ping)) {
                        let round_trip = now.wall_ns.saturating_sub(ping.sent_ns);
                        port.figures().set_pings(self.pings.sent(), self.pings.unanswered());
                        port.figures().round_trip_ns.set(round_trip);
                        if !ping.is_beat {
                            port.pong(ping.ticket, Duration::from_nanos(round_trip));
                        }
                    }
                }
                Some(Item::Close(payload)) => {
                    let stop = match protocol::parse_close(payload) {
                        Ok((code, reason)) => Stop::Close(code, reason.to_vec()),
                        Err(failure) => Stop::Failure(failure),
                    };
                    return (at, Some(stop));
                }
            }
        }
    }

    /// The application has dealt with so much of what it was told.
    pub(crate) fn grant(&mut self, bytes: u64, messages: u64) {
        self.in_hand.give_back(bytes, messages);
    }

    /// The application does not want the rest of the message of this number, if that has not ended.
    pub(crate) fn discard(&mut self, number: u64) {
        if let Some(message) = self.streamed.as_mut().filter(|message| message.number == number) {
            message.discarded |= message.is_open;
        }
    }

    /// How often the application was told something that it has to deal with.
    pub(crate) fn told(&self) -> u64 {
        self.told
    }

    /// Whether there is more to tell of what was taken already.
    pub(crate) fn is_behind(&self) -> bool {
        self.decoder.is_behind() && matches!(self.state, State::Open | State::Closing(..))
    }

    /// The heartbeat's timer: pings a client of which nothing was read for a period. What it says while we
    /// do not read, we can't know: `unread_until` is when that was last.
    pub(crate) fn on_beat(
        &mut self,
        settings: &Endpoint,
        unread_until: u64,
        now: Now,
        port: &mut impl Port,
    ) -> Beat {
        if !matches!(self.state, State::Open) {
            return Beat::Over;
        }
        // Nothing may have come yet that we would not read; but the answer to a ping would.
        let is_shut = self.valve(settings, now, port).is_err();
        let unread_until = if is_shut { now.wall_ns } else { unread_until };
        let period = settings.heartbeat.period.as_nanos() as u64;
        let figures = port.figures();
        let heard = figures.connected_ns.value().max(figures.last_read_ns.value()).max(unread_until);
        let due = heard.max(self.pings.last_beat_ns) + period;
        if due > now.wall_ns {
            return Beat::At(due);
        }
        if self.pings.unanswered_beats() > settings.heartbeat.limit {
            return Beat::Exceeded;
        }
        self.send_ping(0, true, now, port);
        Beat::At(now.wall_ns + period)
    }

    /// The peer's Close frame came: it is answered, unless it is an answer itself (§5.5.1).
    fn peer_closed(&mut self, code: u16, reason: Vec<u8>, port: &mut impl Port) -> Ending {
        match self.end() {
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
        match self.end() {
            State::Closing(ours, _) => ours,
            _ => {
                write_close(port, failure.code, failure.reason.as_bytes());
                Ending::failed(failure)
            }
        }
    }

    /// Nothing more will be read or sent. Its socket may linger: what that took is let go now, unfinished messages
    /// and contexts. Returns the state before.
    fn end(&mut self) -> State {
        self.decoder = Decoder::default();
        self.codec = None;
        std::mem::replace(&mut self.state, State::Ended)
    }

    /// The engine failed under this client (a panic): 1011, at once.
    pub(crate) fn abort(&mut self, port: &mut impl Port) -> Option<Ending> {
        if self.has_ended() {
            return None;
        }
        let failure = Failure { code: 1011, reason: reason::INTERNAL_ERROR };
        Some(Ending { cause: Cause::Application, ..self.fail(failure, port) })
    }

    /// How much memory holds what the peer has not finished saying.
    pub(crate) fn unfinished(&self) -> usize {
        self.decoder.unfinished()
    }

    /// What the peer has not finished saying is forgotten, because there is too much of the kind: 1013.
    pub(crate) fn overload(&mut self, port: &mut impl Port) -> Option<Ending> {
        if self.has_ended() {
            return None;
        }
        let failure = Failure { code: 1013, reason: reason::OVERLOADED };
        Some(Ending { cause: Cause::Limit, ..self.fail(failure, port) })
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
        self.send_ping(ticket, false, now, port);
    }

    fn send_ping(&mut self, ticket: u64, is_beat: bool, now: Now, port: &mut impl Port) {
        let ping = self.pings.next(ticket, is_beat, now.wall_ns);
        port.figures().set_pings(self.pings.sent(), self.pings.unanswered());
        port.figures().last_heartbeat_ns.set(now.wall_ns);
        port.control(Opcode::Ping, &ping.seal(self.id));
    }

    /// The stream ended, or broke.
    pub(crate) fn on_eof(&mut self) -> Option<Ending> {
        match self.end() {
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

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
