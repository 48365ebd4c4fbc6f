//! How a worker's own thread waits while a guest runs the worker: without looking often, and without missing
//! the moment in which it has to serve itself.

use std::time::Duration;

use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Condvar, Mutex};

/// How long the guest may stay away: the worker's own thread takes over after one to two of these.
const TICK: Duration = Duration::from_millis(4);

/// What the worker's own thread and its guest know of each other.
pub(super) struct Standby {
    /// A guest is here: only one at a time may be.
    guest: AtomicBool,
    /// How often one has come.
    visits: AtomicU64,
    /// The worker's own thread sleeps until the guest leaves.
    asleep: AtomicBool,
    /// Held by the worker's own thread while it stands by, except when it sleeps: whether it is to serve.
    summoned: Mutex<bool>,
    left: Condvar,
}

/// Tells the worker's own thread that the guest has left, however that was.
pub(super) struct Guest<'a>(&'a Standby);

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.0.guest.swap(false, Ordering::SeqCst);
        // Left first, looked for the sleeper afterwards; it does the reverse.
        if self.0.asleep.load(Ordering::SeqCst) {
            let _summoned = self.0.summoned.lock();
            self.0.left.notify_one();
        }
    }
}

impl Standby {
    pub(super) fn new() -> Self {
        Self {
            guest: AtomicBool::new(false),
            visits: AtomicU64::new(0),
            asleep: AtomicBool::new(false),
            summoned: Mutex::new(false),
            left: Condvar::new(),
        }
    }

    /// A guest comes, unless there is one.
    pub(super) fn arrive(&self) -> Option<Guest<'_>> {
        if self.guest.swap(true, Ordering::SeqCst) {
            return None;
        }
        self.visits.fetch_add(1, Ordering::SeqCst);
        Some(Guest(self))
    }

    /// The worker's own thread should serve at once.
    pub(super) fn summon(&self) {
        let mut summoned = self.summoned.lock();
        *summoned = true;
        self.left.notify_one();
    }

    /// The worker's own thread watches until guests stay away, or it is summoned. `is_taken`: somebody runs
    /// the worker, a guest or not.
    pub(super) fn watch(&self, is_taken: impl Fn() -> bool) {
        let mut summoned = self.summoned.lock();
        let mut seen = self.visits.load(Ordering::SeqCst);
        loop {
            if !*summoned {
                self.left.wait_for(&mut summoned, TICK);
            }
            if std::mem::take(&mut *summoned) {
                return;
            }
            let visits = self.visits.load(Ordering::SeqCst);
            let came = std::mem::replace(&mut seen, visits) != visits;
            // In the seat without being a guest, the host carries out what it sends: a broadcast may take it long.
            if came || (is_taken() && !self.guest.load(Ordering::SeqCst)) {
                continue;
            }
            // While it waits for events, and nothing comes, there is no need to look every few milliseconds.
            self.asleep.store(true, Ordering::SeqCst);
            let waits = self.guest.fetch_or(false, Ordering::SeqCst);
            if waits && !*summoned {
                self.left.wait(&mut summoned);
            }
            self.asleep.store(false, Ordering::SeqCst);
            if !waits {
                return;
            }
        }
    }
}

#[cfg(all(test, wsgate_loom))]
#[path = "standby_models.rs"]
mod models;
