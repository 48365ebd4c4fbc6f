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
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mio::Events;
use parking_lot::Mutex;

use crate::telemetry;

use super::desk::{self, Desk};
use super::standby::Standby;
use super::{EVENTS, Ended, Mailbox, Worker};

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
    /// How the worker's own thread waits while the host runs the worker, as its guest.
    standby: Standby,
    /// The thread that came last.
    host: AtomicUsize,
    /// No more of them may come: two came at once, and hosts with several takers are served by the worker's
    /// own thread; or the worker is about to end.
    refuses: AtomicBool,
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

impl Seat {
    /// `logs` is where the turns' log lines go, whichever thread runs them.
    pub(crate) fn new(worker: Worker<Box<Desk>>, logs: Option<tracing::Dispatch>) -> Self {
        let mailbox = Arc::clone(&worker.desk.mailbox);
        let events = Events::with_capacity(EVENTS);
        Self {
            seated: Mutex::new(Some(Seated { worker, logs, events })),
            mailbox,
            standby: Standby::new(),
            host: AtomicUsize::new(NOBODY),
            refuses: AtomicBool::new(false),
        }
    }

    /// The worker's own thread: until the worker has ended.
    pub(crate) fn run(&self) {
        desk::enter_engine();
        while self.serve() {
            self.standby.watch(|| self.seated.is_locked());
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

    /// Runs one turn on this thread, which waits for at most `limit`. False when that can't be: the worker's
    /// own thread serves from now on. An error of kind `Interrupted`: a signal came while it waited.
    pub(crate) fn lead(&self, limit: Option<Duration>) -> io::Result<bool> {
        if self.refuses.load(Ordering::SeqCst) {
            return Ok(false);
        }
        let Some(_guest) = self.standby.arrive() else {
            self.refuse();
            return Ok(false);
        };
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
            self.standby.summon();
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
                Some(all) if !all => return self.standby.summon(),
                Some(_) => {}
            }
        }
    }

    /// The worker will never be run: its thread could not be started.
    pub(crate) fn vacate(&self) {
        *self.seated.lock() = None;
    }

    /// No more guests.
    fn refuse(&self) {
        self.refuses.store(true, Ordering::SeqCst);
        self.standby.summon();
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
