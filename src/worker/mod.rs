//! The data plane: one thread, one poller, many clients.
//!
//! A turn: poll; read every ready socket into one shared buffer and run its state machine; hand the
//! turn's events to the host; carry out the commands that arrived; write to every client that has
//! something new, once; timers. A client lives on one worker from its accept to its end.

mod arrival;
mod carry_out;
mod cast;
mod client;
pub(crate) mod desk;
mod drain;
mod ending;
mod fanout;
mod flush;
mod mailbox;
mod overload;
mod parts;
mod port;
mod post;
mod pressure;
mod reading;
mod seat;
mod standby;
mod stream;
mod wheel;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use once_cell::sync::OnceCell;
use slab::Slab;

use crate::admission::Permit;
use crate::clock::Now;
use crate::config::Endpoint;
use crate::connection::{Connection, Shut};
use crate::event::{Event, Sink};
use crate::gateway::account::Accounts;
use crate::gateway::outcome::Outcomes;
use crate::gateway::{Gateways, Members, Membership};
use crate::ids::Table;

pub(crate) use client::{Client, Refused};
pub(crate) use desk::Desk;
pub(crate) use drain::Spread;
pub(crate) use fanout::with_event;
pub(crate) use mailbox::{Adopt, Arrival, Batch, Command, Expect, INLINE, Mailbox, pair};
pub(crate) use post::Poster;
pub(crate) use pressure::register;
pub(crate) use seat::Seat;

use drain::Drain;
use flush::Written;
use port::Desktop;
use reading::Backlog;
use stream::Stream;
use wheel::{Due, Wheel};

/// What all threads of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clients: Table<Client>,
    pub(crate) gateways: Arc<Gateways>,
    pub(crate) outcomes: Arc<Outcomes>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) mailboxes: Vec<Arc<Mailbox>>,
    /// The only worker, where the host's thread may run it.
    pub(crate) seat: OnceCell<Seat>,
    /// Sockets that wait to become clients.
    pub(crate) arrivals: AtomicUsize,
    /// Clients that were closed because all outboxes together were over their budget.
    pub(crate) evicted: AtomicU64,
    /// Clients that were closed because all unfinished messages together were over their budget.
    pub(crate) overloads: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        endpoints: Vec<Endpoint>,
        gateways: Arc<Gateways>,
        queue_limit: u64,
        mailboxes: Vec<Arc<Mailbox>>,
    ) -> Self {
        Self {
            clients: Table::default(),
            gateways,
            outcomes: Outcomes::new(queue_limit),
            endpoints,
            mailboxes,
            seat: OnceCell::new(),
            arrivals: AtomicUsize::new(0),
            evicted: AtomicU64::new(0),
            overloads: AtomicU64::new(0),
        }
    }

    /// Follows every post: see [`Seat::nudge`].
    pub(crate) fn nudge(&self) {
        if let Some(seat) = self.seat.get() {
            seat.nudge();
        }
    }
}

/// The token of the mailbox's waker.
pub(crate) const WAKER: Token = Token(usize::MAX);
/// What one `read` takes at most. Shared by all clients of a worker: they own no buffer while idle.
const READ_BUFFER: usize = 256 << 10;
/// How much one poll tells of at most.
const EVENTS: usize = 1024;

/// One client as its worker holds it.
struct Held {
    stream: Stream,
    /// Given back with the socket.
    permit: Option<Permit>,
    connection: Connection,
    memberships: Vec<Membership>,
    /// Ended, and waiting for its last bytes to leave and the peer to hang up; cut at this time.
    lingers_until: Option<Instant>,
    /// The peer's side of the stream is shut down, and what is queued still goes out.
    hung_up: bool,
    /// Listed in [`Worker::ready`]: once, however often the poller tells of it meanwhile.
    listed: bool,
    /// The poller has seen the end of the stream: read until it.
    to_end: bool,
    /// Our side of the stream is shut down.
    shut: bool,
    /// It did not take all that was last written to it.
    is_blocked: bool,
    /// Listed in [`Worker::postponed`].
    postponed: bool,
    /// The turn in which it last said something.
    last_message: u64,
    /// A timer looks after the message that it is sent in parts.
    is_watched: bool,
    /// Why it is not read, while it is not.
    barred: Option<Shut>,
    /// There may be more in the socket, and the poller has told of it.
    unread: bool,
    /// Until when it was not read, last.
    barred_until_ns: u64,
    /// What was read when it shut.
    backlog: Option<Box<Backlog>>,
}

/// A client that may be read.
#[derive(Clone, Copy, Debug)]
struct Ready {
    place: u32,
    id: u64,
}

/// Ends the mailbox of a worker whose thread ends.
struct Ended(Arc<Mailbox>);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.end());
    }
}

/// A worker: its clients, and all it needs to serve them. Its desk is shared with the callbacks on its
/// thread, or its own: then it can move to another thread between two turns.
pub(crate) struct Worker<D = Rc<Desk>> {
    poll: Poll,
    shared: Arc<Shared>,
    desk: D,
    sink: Box<dyn Sink>,
    held: Slab<Held>,
    members: Members,
    accounts: Accounts,
    wheel: Wheel,
    buffer: Vec<u8>,
    /// Clients that may have more to read, although the poller won't say so again.
    ready: Vec<Ready>,
    /// Clients that could not write all they had.
    stuck: Vec<u32>,
    /// Clients that have something to write and were too many for one turn.
    postponed: VecDeque<u32>,
    /// Clients whose end waits for the application to deal with what they said, and for its answers to be
    /// carried out; and the turns in which that began.
    waiting: Vec<(Ready, u64)>,
    /// Clients that are not read until the application has dealt with what they said.
    windowed: Vec<(u32, u64)>,
    /// Sockets that wait to become clients, because the host is behind.
    arrivals: VecDeque<Adopt>,
    /// When nobody was read for that reason, last.
    saturated_until_ns: u64,
    /// These lend their memory to each turn.
    touched: Vec<u32>,
    written: Written,
    due: Vec<Due>,
    spares: [Batch; 2],
    turn: u64,
    /// The latest turn whose events the application has dealt with, and whose answers were carried out.
    consumed: u64,
    broadcasts: u64,
    stops_at: Option<Instant>,
    drain: Option<Drain>,
    /// No more clients will come.
    may_end: bool,
    now: Now,
}

impl Worker {
    /// Runs on this thread, with the desk open to its callbacks, until the end.
    pub(crate) fn run(mut self) {
        desk::enter_engine();
        desk::set(Some(Rc::clone(&self.desk)));
        // However this ends: nobody may go on sending to a worker that is gone.
        let _ended = Ended(Arc::clone(&self.desk.mailbox));
        let mut events = Events::with_capacity(EVENTS);
        while !self.is_done() {
            // A signal interrupts nothing here: this thread blocks them.
            self.turn(&mut events, None);
        }
        self.end();
        desk::set(None);
    }
}

impl<D: Deref<Target = Desk> + From<Desk>> Worker<D> {
    pub(crate) fn new(number: u16, poll: Poll, shared: Arc<Shared>, sink: Box<dyn Sink>) -> Option<Self> {
        let mailbox = Arc::clone(shared.mailboxes.get(usize::from(number))?);
        let now = Now::read();
        Some(Self {
            poll,
            desk: D::from(Desk {
                mailbox,
                outgoing: RefCell::default(),
                local: RefCell::default(),
                carrying: Cell::default(),
                telling: Cell::default(),
            }),
            shared,
            sink,
            held: Slab::new(),
            members: Members::new(number.into()),
            accounts: Accounts::default(),
            wheel: Wheel::new(now.instant),
            buffer: vec![0; READ_BUFFER],
            ready: Vec::new(),
            stuck: Vec::new(),
            postponed: VecDeque::new(),
            waiting: Vec::new(),
            windowed: Vec::new(),
            arrivals: VecDeque::new(),
            saturated_until_ns: 0,
            touched: Vec::new(),
            written: Written::default(),
            due: Vec::new(),
            spares: <[Batch; 2]>::default(),
            turn: 1,
            consumed: 0,
            broadcasts: 0,
            stops_at: None,
            drain: None,
            may_end: false,
            now,
        })
    }
}

impl<D: Deref<Target = Desk>> Worker<D> {
    /// Whether it was told to stop, and its last client is gone.
    fn is_done(&self) -> bool {
        self.may_end && self.held.is_empty()
    }

    /// One turn, which waits for something to do, but not longer than `limit`. False when a signal
    /// interrupted the wait.
    fn turn(&mut self, events: &mut Events, limit: Option<Duration>) -> bool {
        let waited = self.wait(events, limit);
        self.begin();
        self.read_ready(events);
        self.sink.flush(self.turn);
        self.turn += 1;
        self.attend();
        match waited {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
            Err(error) => {
                tracing::error!("polling failed: {error}");
                std::thread::sleep(Duration::from_millis(10));
                true
            }
        }
    }

    /// The half of a turn that does not read. False when much is left for the next turns.
    fn carry_on(&mut self) -> bool {
        self.begin();
        self.attend();
        self.postponed.is_empty()
    }

    fn begin(&mut self) {
        self.now = Now::read();
        self.turn += 1;
    }

    /// Does what it was told to, and what the time asks for.
    fn attend(&mut self) {
        // Read before the mail is taken: the answers to what was consumed by now are in it.
        let consumed = self.sink.consumed();
        let mut spares = std::mem::take(&mut self.spares);
        let all = self.carry_out_mail(&mut spares);
        self.spares = spares;
        self.watch_begun();
        if all {
            self.consumed = consumed;
            self.resume_consumed();
        }
        self.open_windows();
        self.admit_arrivals();
        let mut due = std::mem::take(&mut self.due);
        self.wheel.expire(self.now.instant, &mut due);
        for each in due.drain(..) {
            self.on_timer(each);
        }
        self.due = due;
        self.flush();
        self.sink.flush(self.turn);
        self.stop_if_due();
    }

    fn wait(&mut self, events: &mut Events, limit: Option<Duration>) -> io::Result<()> {
        // A callback that ran in the last flush may have left something to do.
        let clear = self.desk.local.borrow().is_empty()
            && self.stuck.is_empty()
            && self.postponed.is_empty()
            && !self.desk.outgoing.borrow().has_touched();
        // Parked first, looked around afterwards: who makes room or deals with what it took in between,
        // wakes us.
        let timeout = if clear && self.desk.mailbox.park() && self.may_sleep() {
            let timers = self.wheel.next(Instant::now());
            // With nobody here, there is nobody to cut: the front's end is waited for.
            let stop = self
                .stops_at
                .filter(|_| !self.held.is_empty())
                .map(|at| at.saturating_duration_since(Instant::now()));
            timers.into_iter().chain(stop).chain(limit).min()
        } else {
            Some(Duration::ZERO)
        };
        let result = self.poll.poll(events, timeout);
        self.desk.mailbox.unpark();
        result
    }

    /// Whether nothing can be read, and nobody held has been dealt with, until somebody wakes us.
    fn may_sleep(&mut self) -> bool {
        let could_go_on = !self.ready.is_empty() || !self.arrivals.is_empty();
        if self.sink.is_awaited() || (could_go_on && !self.sink.saturated()) {
            return false;
        }
        if self.waiting.is_empty() && self.windowed.is_empty() {
            return true;
        }
        self.sink.await_consumption();
        self.sink.consumed() == self.consumed
    }

    /// A connection, and its way to the rest of the worker. `None` when the client is gone.
    fn port(&mut self, place: u32) -> Option<(&mut Connection, &Endpoint, Desktop<'_>)> {
        let held = self.held.get_mut(place as usize)?;
        let (id, endpoint) = (held.connection.id, held.connection.endpoint);
        let settings = self.shared.endpoints.get(endpoint as usize)?;
        let port = Desktop {
            place,
            endpoint,
            id,
            entry: self.shared.clients.get(id)?,
            close_period: settings.close_period,
            desk: &self.desk,
            sink: &mut *self.sink,
            now: self.now,
            turn: self.turn,
            last_message: held.last_message,
            consumed: self.consumed,
        };
        Some((&mut held.connection, settings, port))
    }

    /// Raises an event outside of [`Worker::on_bytes`]; a callback's panic ends here.
    fn raise(&mut self, event: &Event<'_>) -> bool {
        let sink = &mut self.sink;
        let returned = catch_unwind(AssertUnwindSafe(|| sink.event(event))).is_ok();
        if !returned {
            tracing::error!(client = event.client, "a panic in a callback");
        }
        returned
    }

    fn stop_if_due(&mut self) {
        if self.stops_at.is_none_or(|at| at > self.now.instant) {
            return;
        }
        let places: Vec<u32> = self.held.iter().map(|(place, _)| place as u32).collect();
        for place in places {
            self.eof(place);
        }
        self.sink.flush(self.turn);
    }

    /// Nobody is left. Mail that comes too late is refused; sockets in it are dropped.
    fn end(&mut self) {
        for command in self.desk.mailbox.end() {
            match command {
                Command::Adopt(adopt) => {
                    self.shared.clients.remove(adopt.id);
                }
                Command::Evict { .. } => pressure::forget_eviction(),
                _ => {}
            }
        }
        self.tell_outcomes();
        self.sink.flush(self.turn);
    }
}

#[cfg(test)]
mod harness;
#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
