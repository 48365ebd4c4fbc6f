//! The turn's commands, one by one, in the order in which they came.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use crate::config::{Compress, FRAME_SPLIT};
use crate::connection::block::Block;
use crate::connection::outbox::{Arena, Class, Frames, Outgoing};
use crate::connection::{Connection, Port};
use crate::event::Cause;
use crate::gateway::Membership;
use crate::protocol::{Opcode, deflate, frame, reason};

use super::desk::Desk;
use super::mailbox::{Accounted, Span};
use super::port::Desktop;
use super::wheel::Timer;
use super::{Batch, Command, Held, Worker};

impl<D: Deref<Target = Desk>> Worker<D> {
    /// Carries out what callbacks on this thread have asked for, then what came by mail: the order in
    /// which [`super::desk::Desk::post`] chose between the two. Whether that was all that had come.
    pub(super) fn carry_out_mail(&mut self, [local, mail]: &mut [Batch; 2]) -> bool {
        // Both are taken before either is carried out: what callbacks add meanwhile is younger than both,
        // and waits for the next turn, so that a client that is fed by its DRAIN starves nobody.
        std::mem::swap(&mut *self.desk.local.borrow_mut(), local);
        let all = self.desk.mailbox.take(mail);
        for batch in [local, mail] {
            if !batch.is_empty() {
                self.carry_out(batch);
            }
        }
        all
    }

    fn carry_out(&mut self, batch: &mut Batch) {
        self.desk.carrying.set(true);
        self.desk.outgoing.borrow_mut().begin_batch(std::mem::take(&mut batch.bytes));
        let ids = std::mem::take(&mut batch.ids);
        for command in batch.commands.drain(..) {
            match command {
                Command::Send { client, frame, compress } => {
                    if let Some(place) = self.place_of(client) {
                        self.send(place, &Outgo::Batch(frame), compress);
                    }
                }
                Command::SendShared { client, frame, compress } => {
                    if let Some(place) = self.place_of(client) {
                        self.send(place, &Outgo::Shared(frame), compress);
                    }
                }
                Command::Begin { client, binary, compress } => self.begin_message(client, binary, compress),
                Command::Part { client, frame, last } => self.part(client, Outgo::Batch(frame), last),
                Command::PartShared { client, frame, last } => self.part(client, Outgo::Shared(frame), last),
                Command::Discard { client, message } => {
                    self.with_port(client, |connection, _| connection.discard(message));
                }
                Command::Accounted(accounted) => {
                    let Accounted { part, command } = *accounted;
                    let account = self.accounts.open(part);
                    self.cast(command, &ids, Some(account));
                    self.accounts.seal(account);
                }
                command @ (Command::Broadcast { .. }
                | Command::BroadcastShared { .. }
                | Command::Multicast { .. }
                | Command::MulticastShared { .. }) => self.cast(command, &ids, None),
                Command::Ping { client, ticket } => self.ping(client, ticket),
                Command::Close { client, code, reason } => {
                    let outgoing = self.desk.outgoing.borrow();
                    let reason = outgoing.batch_bytes(reason.start, reason.end).to_vec();
                    drop(outgoing);
                    self.close(client, code, &reason, Cause::Application);
                }
                Command::Grant { client, bytes, messages } => self.grant(client, bytes, messages.into()),
                Command::Resume { client } => {
                    if let Some(place) = self.place_of(client) {
                        self.reopen(place, client);
                    }
                }
                Command::Evict { client } => self.evict(client),
                Command::Join { gateway, client } => self.join(gateway, client),
                Command::Leave { gateway, client } => {
                    let Some(place) = self.place_of(client) else { continue };
                    let Some(held) = self.held.get_mut(place as usize) else { continue };
                    if let Some(membership) = Membership::take(&mut held.memberships, gateway) {
                        self.leave(membership);
                    }
                }
                Command::Retire { gateway } => {
                    for place in self.members.retire(gateway) {
                        if let Some(held) = self.held.get_mut(place as usize) {
                            Membership::take(&mut held.memberships, gateway);
                        }
                    }
                }
                Command::Expect(expect) => self.foresee(*expect),
                Command::Adopt(adopt) => self.adopt(*adopt),
                Command::Lose { client } => self.lose(client),
                Command::Drain { spread, deadline } => self.begin_drain(*spread, deadline),
                Command::Stop { deadline, last } => self.stop(deadline, last),
            }
        }
        self.flush();
        batch.bytes = self.desk.outgoing.borrow_mut().end_batch();
        batch.ids = ids;
        self.desk.mailbox.release(batch.reserved);
        batch.clear();
        self.desk.carrying.set(false);
    }

    /// Where a client lives here, unless it is gone.
    pub(super) fn place_of(&self, client: u64) -> Option<u32> {
        let place = self.shared.clients.get(client)?.value.place();
        let held = self.held.get(place as usize)?;
        (held.connection.id == client).then_some(place)
    }

    pub(super) fn with_port(
        &mut self,
        client: u64,
        act: impl FnOnce(&mut Connection, &mut Desktop<'_>),
    ) -> Option<u32> {
        let place = self.place_of(client)?;
        let (connection, _, mut port) = self.port(place)?;
        act(connection, &mut port);
        Some(place)
    }

    /// Queues a client's own message, compressed if that was agreed upon and it is to be.
    pub(super) fn send(&mut self, place: u32, message: &Outgo, compress: Compress) {
        if !self.send_compressed(place, message, compress) {
            self.queue(place, message, Class::Plain, true, None);
        }
    }

    /// False when it is not to be compressed: who sent it knew that, and has split it already.
    fn send_compressed(&mut self, place: u32, message: &Outgo, compress: Compress) -> bool {
        let takes = |held: &&mut Held| held.connection.takes_messages() && held.connection.has_codec();
        if self.held.get_mut(place as usize).filter(takes).is_none() {
            return false;
        }
        if self.wait_behind(place, message, compress) {
            return true;
        }
        let Some(held) = self.held.get_mut(place as usize) else { return false };
        let Some(endpoint) = self.shared.endpoints.get(held.connection.endpoint as usize) else {
            return false;
        };
        let Some(codec) = held.connection.codec() else { return false };
        let mut outgoing = self.desk.outgoing.borrow_mut();
        let Some((opcode, payload)) = frame::split_whole(message.bytes(&outgoing)) else { return false };
        if !endpoint.compression.wants(compress, opcode == Opcode::Binary, payload.len()) {
            return false;
        }
        let mut packed = deflate::lend();
        packed.clear();
        let rsv1 = codec.deflate(payload, &mut packed);
        if !rsv1 {
            // It was not split, because it was to be compressed.
            packed.extend_from_slice(payload);
        }
        let reserved = message.length() as u32;
        outgoing.push_own(place, opcode, rsv1, &packed, endpoint.frame_split, reserved);
        deflate::give_back(packed);
        true
    }

    /// Queues a message for a client as it is. False: it takes no messages any more. `reserved`: its room was,
    /// when it was sent. An account is told what becomes of a shared message.
    pub(super) fn queue(
        &mut self,
        place: u32,
        message: &Outgo,
        class: Class,
        reserved: bool,
        account: Option<u32>,
    ) -> bool {
        if !self.held.get(place as usize).is_some_and(|held| held.connection.takes_messages()) {
            return false;
        }
        let mut outgoing = self.desk.outgoing.borrow_mut();
        let reserved = if reserved { message.length() as u32 } else { 0 };
        match message {
            Outgo::Batch(span) => {
                let Span { start, end } = *span;
                let count = match message.length() {
                    0..=FRAME_SPLIT_MIN => 1,
                    _ => frame::count(outgoing.batch_bytes(start, end)),
                };
                let frames = Frames { arena: Arena::Batch, class, start, end, count, is_message: true };
                outgoing.push_run(place, frames, reserved);
            }
            Outgo::Shared(block) => outgoing.push_block(place, block, class, reserved, account),
        }
        true
    }

    /// Pings are exempt from the outbox limit, but not from every bound: the application must not fill
    /// our memory with pings to a peer that does not read.
    fn ping(&mut self, client: u64, ticket: u64) {
        let Some(place) = self.place_of(client) else { return };
        let Some(held) = self.held.get(place as usize) else { return };
        let Some(endpoint) = self.shared.endpoints.get(held.connection.endpoint as usize) else { return };
        let waiting = u64::from(self.desk.outgoing.borrow().waiting(place).bytes);
        if waiting <= endpoint.outbox_bytes + PING_ROOM {
            let now = self.now;
            self.with_port(client, |connection, port| connection.ping(ticket, now, port));
        }
    }

    pub(super) fn join(&mut self, gateway: u64, client: u64) {
        let Some(place) = self.place_of(client) else { return };
        let Some(held) = self.held.get_mut(place as usize) else { return };
        self.members.join(&self.shared.gateways, gateway, place, client, &mut held.memberships);
    }

    /// Begins a client's closing handshake.
    pub(super) fn close(&mut self, client: u64, code: u16, reason: &[u8], cause: Cause) {
        if let Some(entry) = self.shared.clients.get(client) {
            entry.value.begin_close(client);
        }
        let is_cut = self.place_of(client).is_some_and(|place| {
            let mut outgoing = self.desk.outgoing.borrow_mut();
            let is_open = outgoing.is_open(place);
            outgoing.abandon(place);
            is_open
        });
        // Half a message has left, or will: whatever the application says, that is no normal end.
        let (code, reason) = match cause {
            Cause::Application if is_cut => (1011, reason::ABANDONED.as_bytes()),
            _ => (code, reason),
        };
        let stops_at = self.stops_at;
        let mut began = None;
        let place = self.with_port(client, |connection, port| {
            let deadline = port.close_deadline();
            let deadline = stops_at.map_or(deadline, |at| deadline.min(at));
            began = connection.close(code, reason, cause, deadline, port).then_some(deadline);
        });
        if let Some((place, deadline)) = place.zip(began) {
            self.wheel.insert(Timer::End, deadline, place, client);
            // The peer's Close frame must be seen, whatever kept us from reading before.
            self.reopen(place, client);
        }
    }

    fn stop(&mut self, deadline: Instant, last: bool) {
        self.may_end |= last;
        // The last word comes in a drain as well, and lets that go on; a stop does not.
        let first = self.stops_at.is_none() || (!last && self.drain.take().is_some());
        self.stops_at = Some(self.stops_at.map_or(deadline, |at| at.min(deadline)));
        if first {
            let clients: Vec<u64> = self.held.iter().map(|(_, held)| held.connection.id).collect();
            for client in clients {
                self.close(client, 1001, reason::SHUTTING_DOWN.as_bytes(), Cause::Shutdown);
            }
        }
        self.admit_arrivals();
    }
}

/// How many bytes over a client's outbox limit may wait before pings are dropped.
const PING_ROOM: u64 = 64 << 10;

/// No endpoint splits a shorter message.
pub(super) const FRAME_SPLIT_MIN: u64 = FRAME_SPLIT.min;

/// A message on its way to outboxes.
pub(super) enum Outgo {
    /// In the batch's arena.
    Batch(Span),
    /// A block of its own.
    Shared(Arc<Block>),
}

impl Outgo {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Batch(span) => (span.end - span.start).into(),
            Self::Shared(block) => block.len() as u64,
        }
    }

    pub(super) fn bytes<'a>(&'a self, outgoing: &'a Outgoing) -> &'a [u8] {
        match self {
            Self::Batch(span) => outgoing.batch_bytes(span.start, span.end),
            Self::Shared(block) => block,
        }
    }
}
