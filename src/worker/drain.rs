//! A drain: everybody is closed, but not at once, so that they do not all come back at once elsewhere.

use std::ops::Deref;
use std::time::{Duration, Instant};

use super::Worker;
use super::desk::Desk;
use super::wheel::Timer;
use crate::event::Cause;
use crate::protocol::reason;

/// The place of no client: a timer with it is the drain's.
pub(super) const NOBODY: u32 = u32::MAX;

/// What a worker is told of a drain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) from: Instant,
    /// When the last client is closed.
    pub(crate) until: Instant,
    /// Of the time between two closes of one worker, the part that this one lets pass before its first: so
    /// that the closes of all workers are spread evenly, too.
    pub(crate) phase: f64,
}

/// A drain that is under way on a worker.
#[derive(Debug)]
pub(super) struct Drain {
    spread: Spread,
    clients: Vec<u64>,
    /// So many of them have been closed.
    closed: usize,
}

impl Drain {
    /// How many clients should be closed by now.
    fn due(&self, now: Instant) -> usize {
        let Spread { from, until, phase } = self.spread;
        if now >= until {
            return self.clients.len();
        }
        let share = now.saturating_duration_since(from).as_secs_f64() / (until - from).as_secs_f64();
        let due = share * self.clients.len() as f64 - phase;
        // Saturates: below the first there is nobody.
        (due + 1.0) as usize
    }

    /// When the next one is to be closed.
    fn next(&self) -> Instant {
        let Spread { from, until, phase } = self.spread;
        let share = (self.closed as f64 + phase) / self.clients.len().max(1) as f64;
        (from + (until - from).mul_f64(share.clamp(0.0, 1.0))).min(until)
    }
}

impl<D: Deref<Target = Desk>> Worker<D> {
    /// Begins to close all clients; who is left at the deadline is cut. A worker that stops goes on to.
    pub(super) fn begin_drain(&mut self, spread: Spread, deadline: Instant) {
        let stops = self.stops_at.is_some();
        self.stops_at = Some(self.stops_at.map_or(deadline, |at| at.min(deadline)));
        if stops && self.drain.is_none() {
            return;
        }
        // Again while it is under way: those who are left get the new time.
        let clients = self.held.iter().filter(|(_, held)| held.connection.takes_messages());
        let clients = clients.map(|(_, held)| held.connection.id).collect();
        self.drain = Some(Drain { spread, clients, closed: 0 });
        self.continue_drain();
    }

    /// Closes those whose time has come.
    pub(super) fn continue_drain(&mut self) {
        let Some(mut drain) = self.drain.take() else { return };
        let due = drain.due(self.now.instant);
        while drain.closed < due
            && let Some(client) = drain.clients.get(drain.closed).copied()
        {
            drain.closed += 1;
            self.close(client, 1001, reason::SHUTTING_DOWN.as_bytes(), Cause::Shutdown);
        }
        if drain.closed < drain.clients.len() {
            // Never early: it fires once a tick at most, and closes all that are due by then.
            let at = drain.next().max(self.now.instant + Duration::from_millis(1));
            self.wheel.insert(Timer::End, at, NOBODY, 0);
            self.drain = Some(drain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closes_are_spread_evenly_over_the_time_and_the_workers() {
        let from = Instant::now();
        let at = |ms: u64| from + Duration::from_millis(ms);
        let drain = |phase| Drain {
            spread: Spread { from, until: at(1000), phase },
            clients: (1..=10).collect(),
            closed: 0,
        };
        let due = |phase, ms| drain(phase).due(at(ms));
        assert_eq!([0, 24, 26, 124, 126, 924, 926, 1000].map(|ms| due(0.25, ms)), [0, 0, 1, 1, 2, 9, 10, 10]);
        assert_eq!([74, 76, 174, 974, 976].map(|ms| due(0.75, ms)), [0, 1, 1, 9, 10]);
        let mut drain = drain(0.25);
        for closed in 0..10 {
            drain.closed = closed;
            assert_eq!(drain.due(drain.next() + Duration::from_millis(1)), closed + 1);
        }
    }

    #[test]
    fn no_time_at_all_closes_everybody_at_once() {
        let now = Instant::now();
        let spread = Spread { from: now, until: now, phase: 0.5 };
        assert_eq!(Drain { spread, clients: vec![1, 2, 3], closed: 0 }.due(now), 3);
    }
}
