//! What clients have said and not finished is bounded for the whole process: over the budget, those with the
//! longest messages go.

use std::ops::Deref;
use std::sync::atomic::Ordering;

use crate::protocol::unfinished;

use super::Worker;
use super::desk::Desk;

impl<D: Deref<Target = Desk>> Worker<D> {
    /// Closes clients until the budget holds, beginning with whom the most is held for. Called by a worker whose
    /// own client has just sent more, so that each takes its part of the excess from its own.
    pub(super) fn relieve_inbox(&mut self) {
        let mut closed = 0u64;
        while unfinished::is_over_budget() {
            let sizes = self.held.iter().map(|(place, held)| (held.unfinished(), place));
            let Some((_, place)) = sizes.max().filter(|(size, _)| *size > 0) else { break };
            let place = place as u32;
            if let Some(held) = self.held.get_mut(place as usize) {
                held.backlog = None;
            }
            let Some((connection, _, mut port)) = self.port(place) else { break };
            if let Some(ending) = connection.overload(&mut port) {
                self.ended(place, ending);
                closed += 1;
            }
        }
        if closed > 0 {
            self.shared.overloads.fetch_add(closed, Ordering::Relaxed);
            tracing::warn!(
                clients = closed,
                "unfinished messages are over their budget: the longest are given up"
            );
        }
    }
}
