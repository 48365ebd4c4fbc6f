//! How a connection becomes a client, on the threads that bring it and on the worker that takes it.
//!
//! A client whom its endpoint accepts comes with its socket. One whom the application accepts has its id from the
//! handshake on, and its place from the decision on: what is sent to it before its socket arrives waits in its
//! outbox, and it is a member of what it joins.

use std::net::Shutdown;
use std::ops::Deref;
use std::sync::atomic::Ordering;

use crate::clock::Now;
use crate::connection::Connection;
use crate::event::{Cause, Event, FLAG_COMPRESSED, Kind};
use crate::protocol::deflate::Agreement;
use crate::protocol::{Codec, reason};

use super::desk::Desk;
use super::post::put;
use super::stream::Stream;
use super::wheel::Timer;
use super::{Adopt, Arrival, Command, Expect, Held, Shared, Worker};

impl Shared {
    /// Gives a connection to the worker with the fewest clients.
    pub(crate) fn adopt(
        &self,
        arrival: Arrival,
        endpoint: u32,
        request: Vec<u8>,
        compression: Option<Agreement>,
    ) {
        match self.enrol(endpoint, compression, true) {
            Some(id) => self.hand_over(Adopt { id, arrival, endpoint, request: Some(request) }),
            None => tracing::warn!("the table of clients is full"),
        }
    }

    /// Takes an id for a handshake. Until [`Shared::foresee`] nobody can send to it.
    pub(crate) fn reserve(&self, endpoint: u32, compression: Option<Agreement>) -> Option<u64> {
        self.enrol(endpoint, compression, false)
    }

    fn enrol(&self, endpoint: u32, compression: Option<Agreement>, open: bool) -> Option<u64> {
        let settings = self.endpoints.get(endpoint as usize)?;
        let clients = |at: &usize| self.mailboxes.get(*at).map(|to| to.clients.load(Ordering::Relaxed));
        let worker = (0..self.mailboxes.len()).min_by_key(clients)?;
        let id = self.clients.insert(|id, client| {
            client.prepare(id, worker as u16, endpoint as u16, settings, Now::read().wall_ns);
            client.set_agreement(compression);
            if !open {
                client.begin_close(id);
            }
        })?;
        if let Some(mailbox) = self.mailboxes.get(worker) {
            mailbox.clients.fetch_add(1, Ordering::Relaxed);
        }
        Some(id)
    }

    /// Gives the id of a handshake back that was not accepted.
    pub(crate) fn release(&self, id: u64) {
        let Some(entry) = self.clients.get(id) else { return };
        if let Some(mailbox) = self.mailboxes.get(entry.value.worker()) {
            mailbox.clients.fetch_sub(1, Ordering::Relaxed);
        }
        self.clients.remove(id);
    }

    /// The handshake of this id is accepted: from now on it can be sent to. [`Shared::nudge`] is to follow. False
    /// when its worker has ended.
    pub(crate) fn foresee(
        &self,
        id: u64,
        endpoint: u32,
        user_data: u64,
        streams: bool,
        request: &[u8],
    ) -> bool {
        let Some(entry) = self.clients.get(id) else { return false };
        let Some(mailbox) = self.mailboxes.get(entry.value.worker()) else { return false };
        entry.value.set_user_data(user_data);
        let expect = Expect { id, endpoint, streams, request: request.into() };
        // First the worker, then the id: who finds the id good comes behind this in the worker's queue. Never
        // gathered, because others may send while a submit is still being read.
        let posted = put(mailbox, |batch| batch.commands.push(Command::Expect(Box::new(expect))));
        mailbox.wake();
        if posted {
            entry.value.open(id);
        }
        posted
    }

    /// The socket of a client that is expected.
    pub(crate) fn bring(&self, arrival: Arrival, endpoint: u32, id: u64) {
        self.hand_over(Adopt { id, arrival, endpoint, request: None });
    }

    /// A client that is expected won't come.
    pub(crate) fn lose(&self, id: u64) {
        if let Some(entry) = self.clients.get(id)
            && let Some(mailbox) = self.mailboxes.get(entry.value.worker())
        {
            mailbox.post(|batch| batch.commands.push(Command::Lose { client: id }));
            self.nudge();
        }
    }

    fn hand_over(&self, adopt: Adopt) {
        let id = adopt.id;
        let Some(entry) = self.clients.get(id) else { return };
        let Some(mailbox) = self.mailboxes.get(entry.value.worker()) else { return };
        if !mailbox.post(|batch| batch.commands.push(Command::Adopt(Box::new(adopt)))) {
            self.clients.remove(id);
        }
        self.nudge();
    }
}

impl<D: Deref<Target = Desk>> Worker<D> {
    /// Makes room for a client whose socket will come.
    pub(super) fn foresee(&mut self, Expect { id, endpoint, streams, request }: Expect) {
        self.admit(id, endpoint, Stream::Awaited(Some(request)), streams);
    }

    /// Makes a socket a client, or lets it wait while the host is behind.
    pub(super) fn adopt(&mut self, adopt: Adopt) {
        self.shared.arrivals.fetch_add(1, Ordering::Relaxed);
        self.arrivals.push_back(adopt);
        self.admit_arrivals();
    }

    /// Takes in those who came while the host was behind.
    pub(super) fn admit_arrivals(&mut self) {
        while !self.arrivals.is_empty() && (self.stops_at.is_some() || !self.sink.saturated()) {
            let Some(adopt) = self.arrivals.pop_front() else { return };
            self.shared.arrivals.fetch_sub(1, Ordering::Relaxed);
            self.take_in(adopt);
        }
    }

    /// Makes a socket a client: registered, joined, announced; then what it sent early is read.
    fn take_in(&mut self, adopt: Adopt) {
        let Adopt { id, arrival: Arrival { socket, early, permit }, endpoint, request } = adopt;
        let mut stream = Stream::from(socket);
        let place = match request {
            Some(request) => Some(self.admit(id, endpoint, Stream::Awaited(Some(request.into())), false)),
            None => self.place_of(id),
        };
        let Some(place) = place else {
            // Closed, and timed out, before it came.
            let _ = stream.shutdown(Shutdown::Both);
            return;
        };
        let announced = self.announce(place);
        if let Err(error) = stream.register(self.poll.registry(), mio::Token(place as usize)) {
            tracing::warn!("a new client can't be polled: {error}");
            let _ = stream.shutdown(Shutdown::Both);
            self.eof(place);
            return;
        }
        if let Some(held) = self.held.get_mut(place as usize) {
            (held.stream, held.permit) = (stream, permit);
        }
        if !announced {
            self.abort(place);
            return;
        }
        // What was sent to it while it was awaited.
        self.stuck.push(place);
        if !early.is_empty() {
            self.on_bytes(place, &mut early.to_vec());
        }
        let period = self.shared.endpoints.get(endpoint as usize).map(|e| e.heartbeat.period);
        if let Some(period) = period.filter(|period| !period.is_zero()) {
            self.wheel.insert(Timer::Beat, self.now.instant + period, place, id);
        }
        if self.stops_at.is_some() {
            self.close(id, 1001, reason::SHUTTING_DOWN.as_bytes(), Cause::Shutdown);
        }
    }

    /// A client that was accepted has no connection any more.
    pub(super) fn lose(&mut self, client: u64) {
        if let Some(place) = self.place_of(client) {
            self.eof(place);
        }
    }

    /// `streams`: whatever its endpoint says, its messages come in chunks.
    fn admit(&mut self, id: u64, endpoint: u32, stream: Stream, streams: bool) -> u32 {
        let place = self.held.vacant_key() as u32;
        let streams = streams || self.shared.endpoints.get(endpoint as usize).is_some_and(|e| e.streams);
        let agreement = self.shared.clients.get(id).and_then(|entry| entry.value.agreement());
        let effort = self.shared.endpoints.get(endpoint as usize).map(|e| e.compression.effort());
        let codec = agreement.zip(effort).map(|(agreement, effort)| Codec::new(agreement, effort));
        self.held.insert(Held {
            stream,
            permit: None,
            connection: Connection::new(id, endpoint, codec, streams),
            memberships: Vec::new(),
            lingers_until: None,
            hung_up: false,
            listed: false,
            to_end: false,
            shut: false,
            is_blocked: false,
            postponed: false,
            last_message: 0,
            is_watched: false,
            barred: None,
            unread: false,
            barred_until_ns: 0,
            backlog: None,
        });
        self.desk.outgoing.borrow_mut().open(place);
        if let Some(entry) = self.shared.clients.get(id) {
            entry.value.settle_at(place);
        }
        if let Some(gateway) = self.shared.endpoints.get(endpoint as usize).and_then(|e| e.gateway)
            && self.shared.gateways.check(gateway).is_ok()
        {
            self.join(gateway.0, id);
        }
        place
    }

    /// Raises the ACCEPT that an awaited client is owed. False if the callback panicked.
    pub(super) fn announce(&mut self, place: u32) -> bool {
        let Some(held) = self.held.get_mut(place as usize) else { return true };
        let Stream::Awaited(owed) = &mut held.stream else { return true };
        let Some(request) = owed.take() else { return true };
        let (id, endpoint) = (held.connection.id, held.connection.endpoint);
        let entry = self.shared.clients.get(id);
        let agreement = entry.and_then(|entry| entry.value.agreement());
        let flags = agreement.map_or(0, |_| FLAG_COMPRESSED);
        let user_data = entry.map_or(0, |entry| entry.value.user_data());
        self.raise(&Event {
            flags,
            client: id,
            user_data,
            data: &request,
            endpoint,
            ..Event::of_server(Kind::Accept, self.now.wall_ns)
        })
    }
}
