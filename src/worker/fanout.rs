//! One message to many clients of a worker.

use std::ops::Deref;
use std::sync::Arc;

use crate::config::{Compress, SlowConsumer};
use crate::connection::block::Block;
use crate::connection::outbox::{Class, Settled};
use crate::connection::packed::Packing;
use crate::event::{Cause, Event, FLAG_TRUNCATED, Kind};
use crate::gateway::Membership;
use crate::gateway::outcome::Outcome;
use crate::protocol::deflate;
use crate::protocol::{Opcode, frame, reason};

use super::carry_out::{FRAME_SPLIT_MIN, Outgo};
use super::desk::Desk;
use super::mailbox::Span;
use super::{Command, Worker};

/// A message on its way to many members.
struct Many<'a> {
    message: &'a Outgo,
    compress: Compress,
    length: u64,
    /// Who wants to know what becomes of it.
    account: Option<u32>,
    /// The members whose outboxes had no room.
    slow: Vec<u64>,
    /// The message as endpoints want it that split what is so long, by their thresholds.
    in_frames: Vec<(usize, Arc<Block>)>,
    /// The message compressed, by what those who are sent it must have in common; nothing where it would not get
    /// smaller.
    packed: Vec<(Packing, Option<Arc<Block>>)>,
}

impl<'a> Many<'a> {
    fn new(message: &'a Outgo, compress: Compress, account: Option<u32>) -> Self {
        Self {
            message,
            compress,
            length: message.length(),
            account,
            slow: Vec::new(),
            in_frames: Vec::new(),
            packed: Vec::new(),
        }
    }
}

impl<D: Deref<Target = Desk>> Worker<D> {
    /// Carries out a broadcast or multicast, to the credit of an account if its outcome was asked for.
    pub(super) fn cast(&mut self, command: Command, ids: &[u64], account: Option<u32>) {
        let ids = |span: Span| ids.get(span.start as usize..span.end as usize).unwrap_or_default();
        match command {
            Command::Broadcast { gateway, frame, except, compress } => {
                self.broadcast(gateway, Many::new(&Outgo::Batch(frame), compress, account), ids(except));
            }
            Command::BroadcastShared { gateway, frame, except, compress } => {
                self.broadcast(gateway, Many::new(&Outgo::Shared(frame), compress, account), ids(except));
            }
            Command::Multicast { gateway, frame, to, compress } => {
                self.multicast(gateway, Many::new(&Outgo::Batch(frame), compress, account), ids(to));
            }
            Command::MulticastShared { gateway, frame, to, compress } => {
                self.multicast(gateway, Many::new(&Outgo::Shared(frame), compress, account), ids(to));
            }
            _ => {}
        }
    }

    /// Queues a message for every member but the excepted.
    fn broadcast(&mut self, gateway: u64, mut many: Many<'_>, except: &[u64]) {
        self.broadcasts += 1;
        for id in except {
            if let Some(place) = self.place_of(*id)
                && let Some(outbox) = self.desk.outgoing.borrow_mut().outbox(place)
            {
                outbox.excluded_from = self.broadcasts;
            }
        }
        // The member list is lent out: nothing below changes who is a member.
        let members = self.members.lend(gateway);
        for place in &members {
            let excluded = self
                .desk
                .outgoing
                .borrow_mut()
                .outbox(*place)
                .is_none_or(|outbox| outbox.excluded_from == self.broadcasts);
            if !excluded {
                self.reach(*place, &mut many);
            }
        }
        self.members.give_back(gateway, members);
        self.too_slow(many.slow);
    }

    /// Queues a message for the members among these clients.
    fn multicast(&mut self, gateway: u64, mut many: Many<'_>, to: &[u64]) {
        for id in to {
            let place = self.place_of(*id).filter(|place| {
                self.held
                    .get(*place as usize)
                    .is_some_and(|held| Membership::is_in(&held.memberships, gateway))
            });
            match (place, many.account) {
                (Some(place), _) => self.reach(place, &mut many),
                (None, Some(account)) => self.accounts.fail(account, *id),
                (None, None) => {}
            }
        }
        self.too_slow(many.slow);
    }

    /// Queues a message for one member. When its outbox is full, its endpoint's policy says what happens.
    fn reach(&mut self, place: u32, many: &mut Many<'_>) {
        let Some(held) = self.held.get(place as usize) else { return };
        let (id, is_blocked) = (held.connection.id, held.is_blocked);
        let endpoint = self.shared.endpoints.get(held.connection.endpoint as usize);
        let Some((policy, split)) = endpoint.map(|to| (to.slow_consumer, to.frame_split)) else { return };
        let mut over = self.is_over(place, id, many.length);
        if over && !is_blocked {
            // It is we who have not written to it yet.
            self.write(place);
            over = self.is_over(place, id, many.length);
        }
        let fits = !over || self.make_room(place, id, policy, many);
        let class = match policy {
            SlowConsumer::DropOldest => Class::Droppable,
            _ => Class::Plain,
        };
        let packed = if fits { self.packed(place, many) } else { None };
        let queued = fits
            && if let Some(packed) = packed {
                self.queue(place, &packed, class, false, many.account)
            } else if many.length > FRAME_SPLIT_MIN && many.length > split as u64 {
                let message = self.in_frames(many, split);
                self.queue(place, &message, class, false, many.account)
            } else {
                self.queue(place, many.message, class, false, many.account)
            };
        match many.account {
            Some(account) if queued => self.accounts.expect(account),
            Some(account) => self.accounts.fail(account, id),
            None => {}
        }
    }

    /// Whether a member's outbox has no room for so many bytes.
    fn is_over(&self, place: u32, id: u64, length: u64) -> bool {
        let Some(entry) = self.shared.clients.get(id) else { return false };
        let outgoing = self.desk.outgoing.borrow();
        let uncounted = outgoing.uncounted(place);
        let (bytes, messages) = (uncounted.bytes.into(), uncounted.messages.into());
        if outgoing.is_open(place) {
            entry.value.is_over_half(length, bytes, messages)
        } else {
            entry.value.is_over(length, bytes, messages)
        }
    }

    /// Does what the policy says for a member whose outbox is full. Whether the message fits then.
    fn make_room(&mut self, place: u32, id: u64, policy: SlowConsumer, many: &mut Many<'_>) -> bool {
        let Some(entry) = self.shared.clients.get(id) else { return false };
        let mut outgoing = self.desk.outgoing.borrow_mut();
        match policy {
            SlowConsumer::Close => {
                many.slow.push(id);
                return false;
            }
            SlowConsumer::DropNewest => {}
            SlowConsumer::DropOldest => {
                while outgoing.drop_oldest(place) {
                    entry.value.figures.dropped.add(1);
                    let (bytes, messages) = outgoing.settle(place);
                    entry.value.adjust(bytes, messages);
                    let is_over = if outgoing.is_open(place) {
                        entry.value.is_over_half(many.length, 0, 0)
                    } else {
                        entry.value.is_over(many.length, 0, 0)
                    };
                    if !is_over {
                        return true;
                    }
                }
            }
        }
        entry.value.figures.dropped.add(1);
        false
    }

    /// A message in frames of at most `split` bytes: made once for all members who want it so.
    fn in_frames(&self, many: &mut Many<'_>, split: usize) -> Outgo {
        let made = many.in_frames.iter().find(|(of, _)| *of == split).map(|(_, block)| Arc::clone(block));
        Outgo::Shared(made.unwrap_or_else(|| {
            let outgoing = self.desk.outgoing.borrow();
            let mut frames = Vec::new();
            if let Some((opcode, payload)) = frame::split(many.message.bytes(&outgoing)) {
                frame::write_message(&mut frames, opcode, false, payload, split);
            }
            let block = Block::new(frames);
            many.in_frames.push((split, Arc::clone(&block)));
            block
        }))
    }

    /// The message as this member takes it compressed: made once for all members of its kind. `None` when it is
    /// to be sent as it is.
    fn packed(&mut self, place: u32, many: &mut Many<'_>) -> Option<Outgo> {
        let held = self.held.get_mut(place as usize)?;
        let endpoint = self.shared.endpoints.get(held.connection.endpoint as usize)?;
        let codec = held.connection.codec()?;
        let outgoing = self.desk.outgoing.borrow();
        let (opcode, payload) = frame::split(many.message.bytes(&outgoing))?;
        if !endpoint.compression.wants(many.compress, opcode == Opcode::Binary, payload.len()) {
            return None;
        }
        let packing = Packing {
            class: codec.shared_class(payload.len()),
            level: codec.level(),
            split: endpoint.frame_split,
        };
        let made = many.packed.iter().find(|(of, _)| *of == packing).map(|(_, block)| block.clone());
        let block = made.unwrap_or_else(|| {
            let block = match many.message {
                Outgo::Shared(message) => {
                    message.packed.get_or_make(packing, payload.len(), || pack(opcode, payload, packing))
                }
                Outgo::Batch(_) => pack(opcode, payload, packing),
            };
            many.packed.push((packing, block.clone()));
            block
        })?;
        codec.passed_by();
        Some(Outgo::Shared(block))
    }

    fn too_slow(&mut self, clients: Vec<u64>) {
        for client in clients {
            self.close(client, 1013, reason::TOO_SLOW.as_bytes(), Cause::Slow);
        }
    }

    /// Tells the accounts what became of their messages. The clients are still there.
    pub(super) fn settle_accounts(&mut self) {
        if !self.desk.outgoing.borrow().has_settled() {
            return;
        }
        let settled = self.desk.outgoing.borrow_mut().take_settled();
        for Settled { account, place, delivered } in settled {
            let client = self.held.get(place as usize).map_or(0, |held| held.connection.id);
            self.accounts.settle(account, client, delivered);
        }
    }

    /// Tells the outcomes that are complete.
    pub(super) fn tell_outcomes(&mut self) {
        for outcome in self.shared.outcomes.take() {
            let time = self.now.wall_ns;
            with_event(&outcome, time, |event| self.raise(event));
            self.shared.outcomes.told(&outcome);
        }
    }
}

/// A message's frames, compressed for many. `None` where it would not get smaller.
fn pack(opcode: Opcode, payload: &[u8], packing: Packing) -> Option<Arc<Block>> {
    let mut packed = deflate::lend();
    packed.clear();
    let block = deflate::deflate(payload, packing.class, packing.level, &mut packed).then(|| {
        let mut frames = Vec::new();
        frame::write_message(&mut frames, opcode, true, &packed, packing.split);
        Block::new(frames)
    });
    deflate::give_back(packed);
    block
}

/// Makes an outcome an event.
pub(crate) fn with_event<T>(outcome: &Outcome, time_ns: u64, tell: impl FnOnce(&Event<'_>) -> T) -> T {
    let Outcome { ticket, gateway, tally } = outcome;
    let head = [*gateway, tally.delivered, tally.failed];
    let data: Vec<u8> = head.iter().chain(&tally.ids).flat_map(|word| word.to_ne_bytes()).collect();
    let flags = if tally.failed > tally.ids.len() as u64 { FLAG_TRUNCATED } else { 0 };
    tell(&Event { data: &data, flags, value: *ticket, ..Event::of_server(Kind::Outcome, time_ns) })
}
