//! Reading: who may be read, how much of it, and what becomes of the rest.

use std::io::{self, Read};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use mio::Events;

use crate::connection::{Beat, Shut};
use crate::event::Cause;
use crate::protocol::reason;
use crate::protocol::unfinished::{self, Unfinished};

use super::desk::Desk;
use super::wheel::Timer;
use super::{Held, READ_BUFFER, Ready, WAKER, Worker};

/// When the turn's own frames exceed this, they are written before more is read.
const FLUSH_AT: usize = 256 << 10;
/// How often one client is read in a turn while its data fill the whole buffer.
const READS: usize = 4;

/// What was read from a client before it was shut: no more than one read.
#[derive(Debug)]
pub(super) struct Backlog {
    bytes: Unfinished,
    /// So much of it has been taken.
    taken: usize,
}

impl Held {
    /// How much memory holds what the client has not finished saying, or what we have not listened to.
    pub(super) fn unfinished(&self) -> usize {
        self.connection.unfinished() + self.backlog.as_ref().map_or(0, |backlog| backlog.bytes.size())
    }
}

impl<D: Deref<Target = Desk>> Worker<D> {
    /// Reads what is ready, in the poller's order, after what was left over from earlier turns.
    pub(super) fn read_ready(&mut self, events: &Events) {
        let mut ready = std::mem::take(&mut self.ready);
        for event in events {
            if event.token() == WAKER {
                continue;
            }
            let place = event.token().0 as u32;
            if event.is_writable() {
                self.retry(place);
            }
            if (event.is_readable() || event.is_read_closed() || event.is_error())
                && let Some(held) = self.held.get_mut(place as usize)
            {
                held.to_end |= event.is_read_closed() || event.is_error();
                if !std::mem::replace(&mut held.listed, true) {
                    ready.push(Ready { place, id: held.connection.id });
                }
            }
        }
        for client in ready {
            // The host is behind: what is not read now, TCP holds back from the peer.
            if self.sink.saturated() {
                self.saturated_until_ns = self.now.wall_ns;
                self.ready.push(client);
            } else {
                self.read(client);
            }
            if self.desk.outgoing.borrow().log_length() > FLUSH_AT {
                self.flush();
            }
        }
    }

    fn read(&mut self, Ready { place, id }: Ready) {
        let Some(held) = self.held.get_mut(place as usize).filter(|held| held.connection.id == id) else {
            return;
        };
        held.listed = false;
        held.unread = true;
        if held.backlog.is_some() && !self.take_up(place) {
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        for round in 0..READS {
            let Some(most) = self.valve(place, id) else { break };
            let Some(held) = self.held.get_mut(place as usize).filter(|held| held.connection.id == id) else {
                break;
            };
            let most = most.min(READ_BUFFER);
            match held.stream.read(buffer.get_mut(..most).unwrap_or_default()) {
                // It closed with a Close frame and hung up at once: the answers to what it said first, and
                // ours, still go out.
                Ok(0)
                    if held.connection.is_held()
                        || held.connection.has_ended()
                            && self.desk.outgoing.borrow().waiting(place).bytes > 0 =>
                {
                    held.hung_up = true;
                    break;
                }
                Ok(0) => {
                    self.eof(place);
                    break;
                }
                Ok(count) => {
                    let all = self.on_bytes(place, buffer.get_mut(..count).unwrap_or_default());
                    // A short read has emptied the socket, and what comes later is a new event;
                    // but the end of the stream may have been part of this one.
                    let Some(held) = self.held.get_mut(place as usize) else { break };
                    if !all {
                        break;
                    }
                    if count < most && !held.to_end {
                        held.unread = false;
                        break;
                    }
                    if round + 1 == READS {
                        held.listed = true;
                        self.ready.push(Ready { place, id });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    held.unread = false;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.eof(place);
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    /// How many bytes may be read from a client. `None` when it is gone, or shut: then it is seen to that it
    /// is opened again.
    fn valve(&mut self, place: u32, id: u64) -> Option<usize> {
        let now = self.now;
        let Some((connection, settings, port)) = self.port(place) else {
            // It has ended and lingers: what it says is read, and not looked at.
            return self
                .held
                .get(place as usize)
                .filter(|held| held.connection.id == id)
                .map(|_| READ_BUFFER);
        };
        match connection.valve(settings, now, &port) {
            Ok(most) => {
                if let Some(held) = self.held.get_mut(place as usize)
                    && held.barred.take().is_some()
                {
                    held.barred_until_ns = now.wall_ns;
                }
                Some(most)
            }
            Err(shut) => {
                let by_grants = settings.window.by_grants;
                let held = self.held.get_mut(place as usize)?;
                if held.barred.replace(shut) == Some(shut) {
                    return None;
                }
                match shut {
                    // Opened by a call.
                    Shut::Paused => {}
                    Shut::Window if by_grants => {}
                    Shut::Window => self.windowed.push((place, id)),
                    Shut::Rate(until_ns) => {
                        let wait = Duration::from_nanos(until_ns.saturating_sub(now.wall_ns));
                        self.wheel.insert(Timer::Rate, now.instant + wait, place, id);
                    }
                }
                None
            }
        }
    }

    /// Runs the state machine over what was left when the client shut. False when it is shut still, or gone.
    fn take_up(&mut self, place: u32) -> bool {
        let Some(held) = self.held.get_mut(place as usize) else { return false };
        let id = held.connection.id;
        let Some(mut backlog) = held.backlog.take() else { return true };
        if self.valve(place, id).is_none() {
            if let Some(held) = self.held.get_mut(place as usize) {
                held.backlog = Some(backlog);
            }
            return false;
        }
        let rest = backlog.bytes.get_mut(backlog.taken..).unwrap_or_default();
        let taken = self.interpret(place, rest, false);
        backlog.taken += taken;
        if backlog.taken == backlog.bytes.len() && !self.is_behind(place) {
            return true;
        }
        if let Some(held) = self.held.get_mut(place as usize).filter(|held| held.connection.id == id) {
            held.backlog = Some(backlog);
        }
        self.see_to_opening(place, id);
        false
    }

    /// A client has just shut, in the midst of what was read.
    fn see_to_opening(&mut self, place: u32, id: u64) {
        if self.valve(place, id).is_some() {
            self.reopen(place, id);
        }
    }

    /// Runs the state machine over what was read, and keeps what it does not take now: false then.
    pub(super) fn on_bytes(&mut self, place: u32, bytes: &mut [u8]) -> bool {
        let Some(held) = self.held.get(place as usize) else { return false };
        let id = held.connection.id;
        let taken = self.interpret(place, bytes, true);
        let rest = bytes.get(taken..).unwrap_or_default();
        let is_behind = self.is_behind(place);
        if let Some(held) = self.held.get_mut(place as usize).filter(|held| held.connection.id == id) {
            if !rest.is_empty() || is_behind {
                held.backlog = Some(Box::new(Backlog { bytes: Unfinished::new(rest.to_vec()), taken: 0 }));
            }
            if held.unfinished() > 0 && unfinished::is_over_budget() {
                self.relieve_inbox();
            }
        }
        if rest.is_empty() && !is_behind {
            return true;
        }
        self.see_to_opening(place, id);
        false
    }

    /// Whether a client has shut with something to tell for which it needs no more bytes.
    fn is_behind(&self, place: u32) -> bool {
        self.held.get(place as usize).is_some_and(|held| held.connection.is_behind())
    }

    /// Runs the state machine. A panic below, ours or a callback's, costs this client alone.
    fn interpret(&mut self, place: u32, bytes: &mut [u8], fresh: bool) -> usize {
        let (now, turn, all) = (self.now, self.turn, bytes.len());
        let Some((connection, settings, mut port)) = self.port(place) else { return all };
        let (id, told) = (connection.id, connection.told());
        if fresh {
            connection.arrived(all, now, &port);
        }
        let (taken, ending) =
            catch_unwind(AssertUnwindSafe(|| connection.on_bytes(bytes, settings, now, &mut port)))
                .unwrap_or_else(|_| {
                    tracing::error!(client = id, "a panic while serving this client");
                    (all, connection.abort(&mut port))
                });
        let said = connection.told() != told;
        let holds = connection.is_held();
        if let Some(held) = self.held.get_mut(place as usize).filter(|_| said) {
            held.last_message = turn;
        }
        if let Some(ending) = ending {
            self.ended(place, ending);
        } else if holds {
            self.hold(place);
        }
        taken
    }

    /// What shut a client may be over: it is looked at in the next turn.
    pub(super) fn reopen(&mut self, place: u32, id: u64) {
        let Some(held) = self.held.get_mut(place as usize).filter(|held| held.connection.id == id) else {
            return;
        };
        if held.barred.take().is_some() {
            held.barred_until_ns = self.now.wall_ns;
        }
        if (held.unread || held.backlog.is_some()) && !std::mem::replace(&mut held.listed, true) {
            self.ready.push(Ready { place, id });
        }
    }

    /// Opens those whose messages the application has dealt with.
    pub(super) fn open_windows(&mut self) {
        let mut at = 0;
        while let Some(&(place, id)) = self.windowed.get(at) {
            let held = self.held.get(place as usize).filter(|held| held.connection.id == id);
            if held.is_none_or(|held| held.last_message <= self.consumed) {
                self.windowed.swap_remove(at);
                self.reopen(place, id);
            } else {
                at += 1;
            }
        }
    }

    /// The application has dealt with a part of what a client said.
    pub(super) fn grant(&mut self, client: u64, bytes: u64, messages: u64) {
        if let Some(place) = self.with_port(client, |connection, _| connection.grant(bytes, messages)) {
            self.reopen(place, client);
        }
    }

    /// The heartbeat's timer of a client.
    pub(super) fn beat(&mut self, place: u32, id: u64) {
        let now = self.now;
        let Some(held) = self.held.get(place as usize) else { return };
        // Whoever is in line to be read has not been, so far.
        let is_unread = held.barred.is_some() || held.listed;
        let unread_until =
            if is_unread { now.wall_ns } else { held.barred_until_ns.max(self.saturated_until_ns) };
        let Some((connection, settings, mut port)) = self.port(place) else { return };
        match connection.on_beat(settings, unread_until, now, &mut port) {
            Beat::At(at_ns) => {
                let wait = Duration::from_nanos(at_ns.saturating_sub(now.wall_ns));
                self.wheel.insert(Timer::Beat, now.instant + wait, place, id);
            }
            Beat::Exceeded => self.close(id, 1008, reason::UNANSWERED.as_bytes(), Cause::Heartbeat),
            Beat::Over => {}
        }
    }
}
