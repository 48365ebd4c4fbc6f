//! A connection's way to its worker.

use std::time::{Duration, Instant};

use crate::clock::Now;
use crate::connection::Port;
use crate::counters::Figures;
use crate::event::{self, Event, Kind, Sink};
use crate::ids::Entry;
use crate::protocol::Opcode;

use super::Client;
use super::desk::{Desk, Telling};

/// What a connection may use of its worker while it is called.
pub(super) struct Desktop<'a> {
    pub(super) place: u32,
    pub(super) endpoint: u32,
    pub(super) id: u64,
    pub(super) entry: &'a Entry<Client>,
    pub(super) close_period: Duration,
    pub(super) desk: &'a Desk,
    pub(super) sink: &'a mut dyn Sink,
    pub(super) now: Now,
    pub(super) turn: u64,
    pub(super) last_message: u64,
    pub(super) consumed: u64,
}

impl Port for Desktop<'_> {
    #[inline]
    fn message(&mut self, binary: bool, data: &[u8]) {
        // Once the application has closed, nothing more is delivered.
        if self.entry.value.is_closing() {
            return;
        }
        self.sink.event(&Event {
            kind: Kind::Message,
            flags: if binary { event::FLAG_BINARY } else { 0 },
            client: self.id,
            user_data: self.entry.value.user_data(),
            data,
            code: 0,
            endpoint: self.endpoint,
            value: 0,
            time_ns: self.now.wall_ns,
        });
    }

    fn part(&mut self, kind: Kind, number: u64, flags: u32, data: &[u8]) -> bool {
        if self.entry.value.is_closing() {
            return true;
        }
        self.desk.telling.set(Telling { client: self.id, message: number, discarded: false });
        self.sink.event(&Event {
            flags,
            client: self.id,
            user_data: self.entry.value.user_data(),
            data,
            endpoint: self.endpoint,
            value: number,
            ..Event::of_server(kind, self.now.wall_ns)
        });
        self.desk.telling.take().discarded
    }

    fn pong(&mut self, ticket: u64, round_trip: Duration) {
        self.sink.event(&Event {
            client: self.id,
            user_data: self.entry.value.user_data(),
            data: &(round_trip.as_nanos() as u64).to_ne_bytes(),
            endpoint: self.endpoint,
            value: ticket,
            ..Event::of_server(Kind::Pong, self.now.wall_ns)
        });
    }

    fn control(&mut self, opcode: Opcode, payload: &[u8]) {
        self.desk.outgoing.borrow_mut().push_control(self.place, opcode, payload);
    }

    fn figures(&self) -> &Figures {
        &self.entry.value.figures
    }

    fn consumes_at_once(&self) -> bool {
        self.consumed == u64::MAX
    }

    fn is_paused(&self) -> bool {
        self.entry.value.is_paused()
    }

    fn is_owed_answers(&self, just_now: bool) -> bool {
        let last_message = if just_now { self.turn } else { self.last_message };
        last_message > self.consumed
    }

    fn has_mail(&self) -> bool {
        self.desk.has_mail()
    }

    fn close_deadline(&self) -> Instant {
        self.now.instant + self.close_period
    }

    fn congested(&self) -> bool {
        let uncounted = self.desk.outgoing.borrow().uncounted(self.place);
        self.entry.value.is_over(0, uncounted.bytes.into(), uncounted.messages.into())
    }
}
