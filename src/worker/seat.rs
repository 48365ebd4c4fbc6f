//! Who runs the worker: a thread of its own, or the host's while that waits for events.
//!
//! Where events are pulled, handing a batch from a worker's thread to the host's costs two thread
//! switches, more than all the rest of a small message. A host that waits in `take` has a thread to
//! spare: it takes the worker's seat and runs its turns there, until a turn has raised something. The
//! worker's own thread stands by meanwhile; when the host stays away from the seat for longer than a
//! tick, it serves, so that sockets, heartbeats and other threads' sends never wait for a busy host.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use mio::Events;
use parking_lot::{Condvar, Mutex};

use crate::telemetry;

use super::desk::{self, Desk};
use super::{EVENTS, Ended, Mailbox, Worker};

/// How long the host may stay away: the worker's own thread takes over after one to two of these.
const TICK: Duration = Duration::from_millis(4);

/// No thread's number.
const NOBODY: usize = 0;

/// A number for this thread, which no other has while this one lives.
fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.try_with(|here| std::ptr::from_ref(here).addr()).unwrap_or(NOBODY)
}

/// A worker that one thread at a time runs.
pub(crate) struct Seat {
    /// Empty once the worker has ended.
    seated: Mutex<Option<Seated>>,
    mailbox: Arc<Mailbox>,
    /// A host thread is here: only one at a time may be.
    guest: AtomicBool,
    /// How often one has come.
    visits: AtomicU64,
    /// The thread that came last.
    host: AtomicUsize,
    /// No more of them may come: two came at once, and hosts with several takers are served by the worker's
    /// own thread; or the worker is about to end.
    refuses: AtomicBool,
    /// The worker's own thread sleeps until the guest leaves.
    asleep: AtomicBool,
    /// Held by the worker's own thread while it stands by, except when it sleeps: whether it is to serve.
    standby: Mutex<bool>,
    left: Condvar,
}

struct Seated {
    worker: Worker<Box<Desk>>,
    logs: Option<tracing::Dispatch>,
    events: Events,
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seat").finish_non_exhaustive()
    }
}

/// Tells the worker's own thread that the guest has left, however that was.
struct Guest<'a>(&'a Seat);

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.0.guest.store(false, Ordering::SeqCst);
        // Left first, looked for the sleeper afterwards; it does the reverse.
        if self.0.asleep.load(Ordering::SeqCst) {
            let _standby = self.0.standby.lock();
            self.0.left.notify_one();
        }
    }
}

impl Seat {
    /// `logs` is where the turns' log lines go, whichever thread runs them.
    pub(crate) fn new(worker: Worker<Box<Desk>>, logs: Option<tracing::Dispatch>) -> Self {
        let mailbox = Arc::clone(&worker.desk.mailbox);
        let events = Events::with_capacity(EVENTS);
        Self {
            seated: Mutex::new(Some(Seated { worker, logs, events })),
            mailbox,
            guest: AtomicBool::new(false),
            visits: AtomicU64::new(0),
            host: AtomicUsize::new(NOBODY),
            refuses: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            standby: Mutex::new(false),
            left: Condvar::new(),
        }
    }

    /// The worker's own thread: until the worker has ended.
    pub(crate) fn run(&self) {
        desk::enter_engine();
        while self.serve() {
            self.stand_by();
        }
    }

    /// Runs turns until the seat is wanted: true; or until the worker has ended.
    fn serve(&self) -> bool {
        let mut seated = self.seated.lock();
        loop {
            match &mut *seated {
                None => return false,
                Some(Seated { worker, .. }) if worker.is_done() => {
                    let _ended = Ended(Arc::clone(&self.mailbox));
                    worker.end();
                    *seated = None;
                    return false;
                }
                Some(_) if self.mailbox.is_called() => return true,
                Some(_) => self.within(&mut seated, |worker, events| worker.turn(events, None)),
            };
        }
    }

    /// Watches until the host stays away, or may not come any more.
    fn stand_by(&self) {
        let mut standby = self.standby.lock();
        let mut seen = self.visits.load(Ordering::SeqCst);
        loop {
            if !*standby {
                self.left.wait_for(&mut standby, TICK);
            }
            if std::mem::take(&mut *standby) {
                return;
            }
            let visits = self.visits.load(Ordering::SeqCst);
            let came = std::mem::replace(&mut seen, visits) != visits;
            // In the seat without being a guest, the host carries out what it sends: a broadcast may take it long.
            if came || (self.seated.is_locked() && !self.guest.load(Ordering::SeqCst)) {
                continue;
            }
            // While it waits for events, and nothing comes, there is no need to look every few milliseconds.
            self.asleep.store(true, Ordering::SeqCst);
            let waits = self.guest.load(Ordering::SeqCst);
            if waits && !*standby {
                self.left.wait(&mut standby);
            }
            self.asleep.store(false, Ordering::SeqCst);
            if !waits {
                return;
            }
        }
    }

    /// Runs one turn on this thread, which waits for at most `limit`. False when that can't be: the worker's
    /// own thread serves from now on. An error of kind `Interrupted`: a signal came while it waited.
    pub(crate) fn lead(&self, limit: Option<Duration>) -> io::Result<bool> {
        if self.refuses.load(Ordering::SeqCst) {
            return Ok(false);
        }
        if self.guest.swap(true, Ordering::SeqCst) {
            self.refuse();
            return Ok(false);
        }
        let _guest = Guest(self);
        self.visits.fetch_add(1, Ordering::SeqCst);
        self.host.store(this_thread(), Ordering::SeqCst);
        let mut seated = self.seated.try_lock().unwrap_or_else(|| {
            self.mailbox.call(true);
            let seated = self.seated.lock();
            self.mailbox.call(false);
            seated
        });
        let turned = self.within(&mut seated, |worker, events| {
            if worker.is_done() {
                return None;
            }
            // What this thread has left here itself costs no poll.
            if worker.desk.mailbox.is_filled() {
                worker.carry_on();
                return Some(true);
            }
            Some(worker.turn(events, limit))
        });
        drop(seated);
        self.carry_on();
        match turned.flatten() {
            None => {
                self.refuse();
                Ok(false)
            }
            Some(true) => Ok(true),
            Some(false) => Err(io::ErrorKind::Interrupted.into()),
        }
    }

    /// Follows a post: sees that somebody comes to it, although nobody may be in the seat.
    pub(crate) fn nudge(&self) {
        let host = self.host.load(Ordering::SeqCst);
        // The worker's own thread serves: the mailbox has woken it.
        if host == NOBODY || self.refuses.load(Ordering::SeqCst) {
            return;
        }
        if host == this_thread() {
            self.carry_on();
        } else if !self.seated.is_locked() {
            self.summon();
        }
    }

    /// Carries out the mail on this thread, unless somebody is in the seat, who does.
    fn carry_on(&self) {
        // Looked at again after each time: who posted meanwhile has found the seat taken.
        while self.mailbox.is_filled() {
            let Some(mut seated) = self.seated.try_lock() else { return };
            match self.within(&mut seated, |worker, _| worker.carry_on()) {
                None => return,
                // A huge fan-out: its slices, and what else there is between them, are turns.
                Some(all) if !all => return self.summon(),
                Some(_) => {}
            }
        }
    }

    /// The worker's own thread should serve at once.
    fn summon(&self) {
        let mut summoned = self.standby.lock();
        *summoned = true;
        self.left.notify_one();
    }

    /// The worker will never be run: its thread could not be started.
    pub(crate) fn vacate(&self) {
        *self.seated.lock() = None;
    }

    /// No more guests.
    fn refuse(&self) {
        self.refuses.store(true, Ordering::SeqCst);
        self.summon();
    }

    /// Lets the worker act, with its log lines going where they should. A panic here is its end.
    fn within<T>(
        &self,
        seated: &mut Option<Seated>,
        act: impl FnOnce(&mut Worker<Box<Desk>>, &mut Events) -> T,
    ) -> Option<T> {
        let Seated { worker, logs, events } = seated.as_mut()?;
        let acted =
            telemetry::within(logs.as_ref(), || catch_unwind(AssertUnwindSafe(|| act(worker, events))));
        if acted.is_err() {
            let _ended = Ended(Arc::clone(&self.mailbox));
            *seated = None;
        }
        acted.ok()
    }
}

#[cfg(test)]
#[path = "seat_tests.rs"]
mod tests;
