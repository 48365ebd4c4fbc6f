//! One message to many clients of a worker.

use crate::event::Cause;

use super::Worker;
use super::carry_out::Outgo;

impl Worker {
    /// Queues a frame for every member but the excepted. A member whose outbox is full is too slow.
    pub(super) fn broadcast(&mut self, gateway: u64, frame: &Outgo, except: &[u64]) {
        self.broadcasts += 1;
        for id in except {
            if let Some(place) = self.place_of(*id)
                && let Some(outbox) = self.desk.outgoing.borrow_mut().outbox(place)
            {
                outbox.excluded_from = self.broadcasts;
            }
        }
        let length = match frame {
            Outgo::Batch(span) => u64::from(span.end - span.start),
            Outgo::Shared(block) => block.len() as u64,
        };
        let mut slow = Vec::new();
        // The member list is lent out: nothing below changes who is a member.
        let members = self.members.lend(gateway);
        for place in &members {
            let Some(held) = self.held.get(*place as usize) else { continue };
            let Some(entry) = self.shared.clients.get(held.connection.id) else { continue };
            let mut outgoing = self.desk.outgoing.borrow_mut();
            if outgoing.outbox(*place).is_none_or(|outbox| outbox.excluded_from == self.broadcasts) {
                continue;
            }
            let uncounted = outgoing.uncounted(*place);
            drop(outgoing);
            if entry.value.is_over(length, uncounted.bytes.into(), uncounted.messages.into()) {
                slow.push(held.connection.id);
            } else {
                self.queue(*place, frame, false);
            }
        }
        self.members.give_back(gateway, members);
        for client in slow {
            self.close(client, 1013, b"Too slow", Cause::Slow);
        }
    }
}
