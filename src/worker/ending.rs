//! The end of a client: held, timed out, lost, told, and at last let go.

use std::net::Shutdown;
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::connection::Ending;
use crate::counters::Info;
use crate::event::{self, Cause, Event, Kind};
use crate::gateway::Membership;

use super::desk::Desk;
use super::drain::NOBODY;
use super::flush::count_sent;
use super::wheel::{Due, Timer};
use super::{Ready, Worker};

impl<D: Deref<Target = Desk>> Worker<D> {
    /// The client's end waits for the application: see [`Connection::is_held`].
    pub(super) fn hold(&mut self, place: u32) {
        let Some(held) = self.held.get(place as usize) else { return };
        let (id, deadline) = (held.connection.id, held.connection.deadline());
        if self.waiting.iter().all(|(waiting, _)| (waiting.place, waiting.id) != (place, id)) {
            self.waiting.push((Ready { place, id }, self.turn));
            if let Some(at) = deadline {
                self.wheel.insert(Timer::End, at, place, id);
            }
        }
    }

    /// Ends the held clients whose messages the application has dealt with, when all mail was carried out that
    /// there was before this turn.
    pub(super) fn resume_consumed(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        for (client, since) in std::mem::take(&mut self.waiting) {
            let Ready { place, id } = client;
            let Some(held) = self.held.get(place as usize).filter(|held| held.connection.id == id) else {
                continue;
            };
            if held.last_message <= self.consumed && since < self.turn {
                self.resume(place);
            } else if held.connection.is_held() {
                self.waiting.push((client, since));
            }
        }
    }

    pub(super) fn resume(&mut self, place: u32) {
        let Some((connection, _, mut port)) = self.port(place) else { return };
        if let Some(ending) = connection.resume(&mut port) {
            self.ended(place, ending);
        }
    }

    /// The application failed under this client: 1011.
    pub(super) fn abort(&mut self, place: u32) {
        let Some((connection, _, mut port)) = self.port(place) else { return };
        if let Some(ending) = connection.abort(&mut port) {
            self.ended(place, ending);
        }
    }

    pub(super) fn eof(&mut self, place: u32) {
        let Some(held) = self.held.get_mut(place as usize) else { return };
        if let Some(ending) = held.connection.on_eof() {
            self.ended(place, ending);
        }
        self.release(place);
    }

    pub(super) fn on_timer(&mut self, Due { place, id, timer }: Due) {
        match timer {
            Timer::End => self.on_deadline(place, id),
            Timer::Beat => self.beat(place, id),
            Timer::Rate => self.reopen(place, id),
            Timer::Part => self.look_at_open(place, id),
        }
    }

    fn on_deadline(&mut self, place: u32, id: u64) {
        if place == NOBODY {
            return self.continue_drain();
        }
        let Some(held) = self.held.get_mut(place as usize).filter(|held| held.connection.id == id) else {
            return;
        };
        if let Some(at) = held.lingers_until {
            if at <= self.now.instant {
                self.release(place);
            } else {
                self.wheel.insert(Timer::End, at, place, id);
            }
        } else if held.connection.is_held() {
            match held.connection.deadline() {
                Some(at) if at > self.now.instant => self.wheel.insert(Timer::End, at, place, id),
                _ => self.resume(place),
            }
        } else if let Some(ending) = held.connection.on_timer(self.now) {
            self.ended(place, ending);
            self.release(place);
        } else if let Some(at) = held.connection.deadline() {
            self.wheel.insert(Timer::End, at, place, id);
        }
    }

    /// The client is over: its id becomes stale, it leaves its gateways, CLOSE is raised. The socket
    /// lingers until the last bytes have left and the peer has hung up.
    pub(super) fn ended(&mut self, place: u32, ending: Ending) {
        // No CLOSE without its ACCEPT, also when the socket never came.
        self.announce(place);
        let Some(held) = self.held.get_mut(place as usize) else { return };
        let id = held.connection.id;
        let period = self
            .shared
            .endpoints
            .get(held.connection.endpoint as usize)
            .map_or(Duration::ZERO, |e| e.close_period);
        // A peer that has answered our Close frame has got all we had for it: a stop need not wait for
        // it to hang up.
        let answered = ending.clean && ending.cause != Cause::Peer;
        let until =
            if self.stops_at.is_some() && answered { self.now.instant } else { self.now.instant + period };
        held.lingers_until = Some(until);
        self.wheel.insert(Timer::End, until, place, id);
        let memberships = std::mem::take(&mut held.memberships);
        let endpoint = held.connection.endpoint;
        let mut outgoing = self.desk.outgoing.borrow_mut();
        outgoing.abandon(place);
        let queued_bytes = outgoing.waiting(place).bytes.into();
        let (mut user_data, mut info) = (0, Info::default());
        if let Some(entry) = self.shared.clients.get(id) {
            count_sent(&entry.value.figures, outgoing.take_sent(place), self.now);
            user_data = entry.value.user_data();
            info = Info { closed_ns: self.now.wall_ns, ..entry.value.figures.info(queued_bytes) };
        }
        drop(outgoing);
        held.backlog = None;
        for membership in memberships {
            self.leave(membership);
        }
        self.shared.clients.remove(id);
        self.desk.mailbox.clients.fetch_sub(1, Ordering::Relaxed);
        let mut data = info.to_bytes().to_vec();
        data.extend_from_slice(&ending.reason);
        self.raise(&Event {
            kind: Kind::Close,
            flags: if ending.clean { event::FLAG_CLEAN } else { 0 },
            client: id,
            user_data,
            data: &data,
            code: ending.code.into(),
            endpoint,
            value: ending.cause as u64,
            time_ns: self.now.wall_ns,
        });
        // Its queue may be empty already: the next flush shuts our side down.
        self.stuck.push(place);
    }

    pub(super) fn leave(&mut self, membership: Membership) {
        if let Some(moved) = self.members.leave(&self.shared.gateways, membership)
            && let Some(other) = self.held.get_mut(moved as usize)
        {
            Membership::moved(&mut other.memberships, membership);
        }
    }

    /// Lets go of the socket.
    pub(super) fn release(&mut self, place: u32) {
        self.desk.outgoing.borrow_mut().clear(place);
        self.settle_accounts();
        if let Some(mut held) = self.held.try_remove(place as usize) {
            let _ = held.stream.deregister(self.poll.registry());
            // What a forked child still holds open must not keep the connection alive.
            let _ = held.stream.shutdown(Shutdown::Both);
        }
    }
}
