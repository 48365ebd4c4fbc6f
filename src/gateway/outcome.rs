//! What became of a call that asks: how many got the message, and who did not.
//!
//! A call is carried out by several workers. Each has a [`Part`] of it and says with it how its members
//! fared; when the last part is dropped, for whatever reason, the [`Outcome`] is complete. So each call
//! that asked completes once, also when its command is never carried out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use once_cell::sync::OnceCell;
use parking_lot::{Condvar, Mutex};

use crate::error::{Error, ErrorKind, Result};

/// What an outcome that is not told yet counts for against the limit of what waits for the host.
const SPACE: u64 = 128;
/// How many ids of failed clients all outcomes together keep that are not told yet: 8 MiB.
const KEPT_IDS: u64 = 1 << 20;
/// How long a stop waits for calls that are just being made on other threads.
const STOP_BOUND: Duration = Duration::from_secs(1);

/// How many bytes of events wait for the host.
pub(crate) type Waiting = Box<dyn Fn() -> u64 + Send + Sync>;

/// The outcomes of a server that were asked for and not told yet.
pub(crate) struct Outcomes {
    /// The most bytes that events and outcomes to come may take.
    limit: u64,
    waiting: OnceCell<Waiting>,
    /// [`SPACE`] for each outcome that was asked for and not told.
    reserved: AtomicU64,
    ids: AtomicU64,
    complete: Mutex<Vec<Outcome>>,
    completed: Condvar,
    /// Whether `complete` holds any, so that nobody need lock it to see that it does not.
    any: AtomicBool,
    closed: AtomicBool,
}

impl std::fmt::Debug for Outcomes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outcomes").field("reserved", &self.reserved).finish_non_exhaustive()
    }
}

/// How a call fared.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) ticket: u64,
    pub(crate) gateway: u64,
    pub(crate) tally: Tally,
}

/// A call that is not complete.
#[derive(Debug)]
struct Call {
    outcomes: Arc<Outcomes>,
    ticket: u64,
    gateway: u64,
    /// Parts that are not dropped yet.
    parts: AtomicU32,
    tally: Mutex<Tally>,
}

/// How members fared.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) delivered: u64,
    pub(crate) failed: u64,
    /// Who failed: all of them, unless there are too many.
    pub(crate) ids: Vec<u64>,
}

/// One worker's part of a call that asked for its outcome.
#[derive(Debug)]
pub(crate) struct Part(Arc<Call>);

impl Outcomes {
    pub(crate) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            limit,
            waiting: OnceCell::new(),
            reserved: AtomicU64::new(0),
            ids: AtomicU64::new(0),
            complete: Mutex::default(),
            completed: Condvar::new(),
            any: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        })
    }

    /// Outcomes share their limit with what `waiting` tells.
    pub(crate) fn set_waiting(&self, waiting: Waiting) {
        let _ = self.waiting.set(waiting);
    }

    /// Begins a call in so many parts; space for its outcome is reserved. FULL: there is none, because
    /// the host does not take its events, or so many calls are not complete.
    pub(crate) fn ask(self: &Arc<Self>, ticket: u64, gateway: u64, parts: usize) -> Result<Vec<Part>> {
        let reserved = self.reserved.fetch_add(SPACE, Ordering::SeqCst) + SPACE;
        // Reserved first, looked at afterwards: a stop that does not see this reservation is seen here.
        let refused = if self.closed.load(Ordering::SeqCst) {
            Some(Error::new(ErrorKind::Closed, "the server has stopped"))
        } else if reserved + self.waiting.get().map_or(0, |waiting| waiting()) > self.limit {
            Some(Error::new(
                ErrorKind::Full,
                format!("there is no space for an outcome: {} are to come", reserved / SPACE - 1),
            ))
        } else {
            None
        };
        if let Some(error) = refused {
            self.release(SPACE);
            return Err(error);
        }
        let call = Arc::new(Call {
            outcomes: Arc::clone(self),
            ticket,
            gateway,
            parts: AtomicU32::new(parts as u32),
            tally: Mutex::default(),
        });
        Ok((0..parts).map(|_| Part(Arc::clone(&call))).collect())
    }

    /// Whether outcomes are complete and not told.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Takes what is complete, to be told.
    pub(crate) fn take(&self) -> Vec<Outcome> {
        let mut complete = self.complete.lock();
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut *complete)
    }

    /// An outcome that was taken has been told.
    pub(crate) fn told(&self, outcome: &Outcome) {
        self.ids.fetch_sub(outcome.tally.ids.len() as u64, Ordering::Relaxed);
        self.release(SPACE);
    }

    fn release(&self, space: u64) {
        if self.reserved.fetch_sub(space, Ordering::SeqCst) == space && self.closed.load(Ordering::SeqCst) {
            let _complete = self.complete.lock();
            self.completed.notify_all();
        }
    }

    /// From now on nobody can ask. Tells what completes until nothing is left to come.
    pub(crate) fn close(&self, mut tell: impl FnMut(&Outcome)) {
        self.closed.store(true, Ordering::SeqCst);
        loop {
            for outcome in self.take() {
                tell(&outcome);
                self.told(&outcome);
            }
            let mut complete = self.complete.lock();
            if !complete.is_empty() {
                continue;
            }
            // Somebody is in the middle of a call, and will find all mailboxes closed.
            if self.reserved.load(Ordering::SeqCst) == 0
                || self.completed.wait_for(&mut complete, STOP_BOUND).timed_out()
            {
                return;
            }
        }
    }
}

impl Part {
    /// Adds how this part's members fared. What of `failed` is too much to keep is counted only.
    pub(crate) fn add(&self, delivered: u64, failed: &[u64]) {
        let kept = self.keep(failed.len() as u64) as usize;
        let mut tally = self.0.tally.lock();
        tally.delivered += delivered;
        tally.failed += failed.len() as u64;
        tally.ids.extend_from_slice(failed.get(..kept).unwrap_or_default());
    }

    /// Takes room for this many ids, or for as many as there is room for.
    fn keep(&self, count: u64) -> u64 {
        if count == 0 {
            return 0;
        }
        let ids = &self.0.outcomes.ids;
        let before = ids.fetch_add(count, Ordering::Relaxed);
        let kept = KEPT_IDS.saturating_sub(before).min(count);
        if kept < count {
            ids.fetch_sub(count - kept, Ordering::Relaxed);
        }
        kept
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.0.parts.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        let Call { outcomes, ticket, gateway, tally, .. } = &*self.0;
        let tally = std::mem::take(&mut *tally.lock());
        let mut complete = outcomes.complete.lock();
        complete.push(Outcome { ticket: *ticket, gateway: *gateway, tally });
        outcomes.any.store(true, Ordering::Release);
        if outcomes.closed.load(Ordering::SeqCst) {
            outcomes.completed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(outcomes: &Outcomes) -> Vec<(u64, u64, Vec<u64>)> {
        let told = outcomes.take().into_iter().map(|outcome| {
            outcomes.told(&outcome);
            (outcome.ticket, outcome.tally.delivered, outcome.tally.ids)
        });
        told.collect()
    }

    #[test]
    fn it_is_complete_with_its_last_part_used_or_not() {
        let outcomes = Outcomes::new(1000);
        let mut parts = outcomes.ask(7, 1, 3).unwrap();
        parts.pop().unwrap().add(3, &[]);
        parts.pop().unwrap().add(1, &[8, 9]);
        assert!(!outcomes.any());
        parts.pop();
        assert!(outcomes.any());
        assert_eq!(told(&outcomes), [(7, 4, vec![8, 9])]);
        assert!(!outcomes.any());
    }

    #[test]
    fn space_is_reserved_at_the_call_and_shared_with_the_events_that_wait() {
        let outcomes = Outcomes::new(4 * SPACE);
        let waiting = Arc::new(AtomicU64::new(0));
        let events = Arc::clone(&waiting);
        outcomes.set_waiting(Box::new(move || events.load(Ordering::SeqCst)));
        let asked: Vec<_> = (0..4).map(|n| outcomes.ask(n, 1, 1).unwrap()).collect();
        assert_eq!(outcomes.ask(4, 1, 1).unwrap_err().kind(), ErrorKind::Full);
        drop(asked);
        assert!(outcomes.ask(4, 1, 1).is_err(), "complete, and not told");
        assert_eq!(told(&outcomes).len(), 4);
        waiting.store(4 * SPACE, Ordering::SeqCst);
        assert_eq!(outcomes.ask(5, 1, 1).unwrap_err().kind(), ErrorKind::Full);
        waiting.store(3 * SPACE, Ordering::SeqCst);
        assert!(outcomes.ask(5, 1, 1).is_ok());
    }

    #[test]
    fn ids_beyond_the_bound_are_counted_and_not_kept() {
        let outcomes = Outcomes::new(1000);
        let many = vec![1; KEPT_IDS as usize - 2];
        let mut first = outcomes.ask(1, 1, 1).unwrap();
        first.pop().unwrap().add(0, &many);
        let second = outcomes.ask(2, 1, 1).unwrap();
        second[0].add(0, &[5, 6, 7]);
        second[0].add(0, &[8]);
        drop(second);
        let complete = outcomes.take();
        assert_eq!((complete[1].tally.failed, &complete[1].tally.ids[..]), (4, &[5, 6][..]));
        complete.iter().for_each(|outcome| outcomes.told(outcome));
        assert_eq!(outcomes.ids.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_close_waits_for_what_was_asked_and_lets_nobody_ask_again() {
        let outcomes = Outcomes::new(1000);
        let parts = outcomes.ask(1, 1, 2).unwrap();
        let closing = Arc::clone(&outcomes);
        let closer = std::thread::spawn(move || {
            let mut tickets = Vec::new();
            closing.close(|outcome| tickets.push(outcome.ticket));
            tickets
        });
        while !outcomes.closed.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        assert_eq!(outcomes.ask(2, 1, 1).unwrap_err().kind(), ErrorKind::Closed);
        drop(parts);
        assert_eq!(closer.join().unwrap(), [1]);
    }
}
