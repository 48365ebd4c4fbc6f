//! One message to many clients of a worker.

use std::ops::Deref;

use crate::connection::outbox::Settled;
use crate::event::{Cause, Event, FLAG_TRUNCATED, Kind};
use crate::gateway::Membership;
use crate::gateway::outcome::Outcome;

use super::carry_out::Outgo;
use super::desk::Desk;
use super::mailbox::Span;
use super::{Command, Worker};

impl<D: Deref<Target = Desk>> Worker<D> {
    /// Carries out a broadcast or multicast, to the credit of an account if its outcome was asked for.
    pub(super) fn cast(&mut self, command: Command, ids: &[u64], account: Option<u32>) {
        let ids = |span: Span| ids.get(span.start as usize..span.end as usize).unwrap_or_default();
        match command {
            Command::Broadcast { gateway, frame, except } => {
                self.broadcast(gateway, &Outgo::Batch(frame), ids(except), account);
            }
            Command::BroadcastShared { gateway, frame, except } => {
                self.broadcast(gateway, &Outgo::Shared(frame), ids(except), account);
            }
            Command::Multicast { gateway, frame, to } => {
                self.multicast(gateway, &Outgo::Batch(frame), ids(to), account);
            }
            Command::MulticastShared { gateway, frame, to } => {
                self.multicast(gateway, &Outgo::Shared(frame), ids(to), account);
            }
            _ => {}
        }
    }

    /// Queues a frame for every member but the excepted.
    fn broadcast(&mut self, gateway: u64, frame: &Outgo, except: &[u64], account: Option<u32>) {
        self.broadcasts += 1;
        for id in except {
            if let Some(place) = self.place_of(*id)
                && let Some(outbox) = self.desk.outgoing.borrow_mut().outbox(place)
            {
                outbox.excluded_from = self.broadcasts;
            }
        }
        let mut slow = Vec::new();
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
                self.reach(*place, frame, account, &mut slow);
            }
        }
        self.members.give_back(gateway, members);
        self.too_slow(slow);
    }

    /// Queues a frame for the members among these clients.
    fn multicast(&mut self, gateway: u64, frame: &Outgo, to: &[u64], account: Option<u32>) {
        let mut slow = Vec::new();
        for id in to {
            let place = self.place_of(*id).filter(|place| {
                self.held
                    .get(*place as usize)
                    .is_some_and(|held| Membership::is_in(&held.memberships, gateway))
            });
            match (place, account) {
                (Some(place), _) => self.reach(place, frame, account, &mut slow),
                (None, Some(account)) => self.accounts.fail(account, *id),
                (None, None) => {}
            }
        }
        self.too_slow(slow);
    }

    /// Queues a frame for one member, unless its outbox is full: then it is too slow.
    fn reach(&mut self, place: u32, frame: &Outgo, account: Option<u32>, slow: &mut Vec<u64>) {
        let Some(held) = self.held.get(place as usize) else { return };
        let (id, is_blocked) = (held.connection.id, held.is_blocked);
        let mut over = self.is_over(place, id, frame);
        if over && !is_blocked {
            // It is we who have not written to it yet.
            self.write(place);
            over = self.is_over(place, id, frame);
        }
        if over {
            slow.push(id);
        }
        let queued = !over && self.queue(place, frame, false, account);
        match account {
            Some(account) if queued => self.accounts.expect(account),
            Some(account) => self.accounts.fail(account, id),
            None => {}
        }
    }

    /// Whether a member's outbox has no room for a frame.
    fn is_over(&self, place: u32, id: u64, frame: &Outgo) -> bool {
        let Some(entry) = self.shared.clients.get(id) else { return false };
        let uncounted = self.desk.outgoing.borrow().uncounted(place);
        entry.value.is_over(frame.length(), uncounted.bytes.into(), uncounted.messages.into())
    }

    fn too_slow(&mut self, clients: Vec<u64>) {
        for client in clients {
            self.close(client, 1013, b"Too slow", Cause::Slow);
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

/// Makes an outcome an event.
pub(crate) fn with_event<T>(outcome: &Outcome, time_ns: u64, tell: impl FnOnce(&Event<'_>) -> T) -> T {
    let (data, flags) = outcome.with_tally(|tally| {
        let head = [outcome.gateway, tally.delivered, tally.failed];
        let data: Vec<u8> = head.iter().chain(&tally.ids).flat_map(|word| word.to_ne_bytes()).collect();
        (data, if tally.failed > tally.ids.len() as u64 { FLAG_TRUNCATED } else { 0 })
    });
    tell(&Event { data: &data, flags, value: outcome.ticket, ..Event::of_server(Kind::Outcome, time_ns) })
}
