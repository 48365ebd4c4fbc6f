//! Pull: events wait in a queue, in batches, until the application takes them.
//!
//! A worker gathers a turn's events and publishes them together. Taking exchanges whole batches under
//! a short lock; small ones were merged when they were published. Whoever waits, waits in `poll()` on
//! an eventfd, so that signals interrupt it; it is raised only while somebody may be looking at it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;

use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Kind, Sink};
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::sync::{EventFd, Mutex};

/// One event as it lies in a batch: the C ABI's `wsgate_event`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Record {
    /// The event's kind.
    pub kind: u32,
    /// Its flags.
    pub flags: u32,
    /// The client's id.
    pub client: u64,
    /// The client's word.
    pub user_data: u64,
    /// Where its data begin: an offset into the payload while it waits, an address once taken in C.
    pub data: u64,
    /// How long they are.
    pub length: u64,
    /// Close code or log level.
    pub code: u32,
    /// The endpoint.
    pub endpoint: u32,
    /// Ticket or cause.
    pub value: u64,
    /// Nanoseconds since 1970.
    pub time_ns: u64,
}

const _: () = assert!(size_of::<Record>() == 64);

/// Events and their payloads in one block.
#[derive(Debug, Default)]
struct Batch {
    records: Vec<Record>,
    payload: Vec<u8>,
}

/// What was taken: valid until it is taken into again. Reuses its memory.
#[derive(Debug, Default)]
pub struct Taken {
    batch: Batch,
    pending: u64,
    /// How many events had ever been taken after this.
    upto: u64,
}

/// A batch is published early at this many events or bytes.
const BATCH_EVENTS: usize = 512;
const BATCH_BYTES: usize = 256 << 10;
/// A waiting batch takes more events while it is smaller than this.
const MERGE_EVENTS: usize = 4096;
const MERGE_BYTES: usize = 256 << 10;
/// Emptied batches that are kept for reuse, and the most memory of one.
const SPARES: usize = 8;
const SPARE_BYTES: usize = 1 << 20;

impl Batch {
    fn bytes(&self) -> u64 {
        (self.records.len() * size_of::<Record>() + self.payload.len()) as u64
    }

    fn push(&mut self, event: &Event<'_>) {
        let offset = self.payload.len() as u64;
        self.payload.extend_from_slice(event.data);
        self.records.push(Record {
            kind: event.kind as u32,
            flags: event.flags,
            client: event.client,
            user_data: event.user_data,
            data: offset,
            length: event.data.len() as u64,
            code: event.code,
            endpoint: event.endpoint,
            value: event.value,
            time_ns: event.time_ns,
        });
    }

    fn append(&mut self, other: &Self) {
        let base = self.payload.len() as u64;
        self.payload.extend_from_slice(&other.payload);
        self.records.extend(other.records.iter().map(|r| Record { data: r.data + base, ..*r }));
    }

    fn clear(&mut self) {
        self.records.clear();
        self.payload.clear();
    }
}

impl Taken {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The events; their `data` are offsets into [`Taken::payload`].
    pub fn records(&self) -> &[Record] {
        &self.batch.records
    }

    /// For the C ABI, which turns offsets into addresses.
    pub(crate) fn records_mut(&mut self) -> &mut [Record] {
        &mut self.batch.records
    }

    /// The block that holds all data.
    pub fn payload(&self) -> &[u8] {
        &self.batch.payload
    }

    /// One event's data.
    pub fn data(&self, record: &Record) -> &[u8] {
        let (start, length) = (record.data as usize, record.length as usize);
        start.checked_add(length).and_then(|end| self.batch.payload.get(start..end)).unwrap_or_default()
    }

    /// How many events still waited when this was taken.
    pub fn pending(&self) -> u64 {
        self.pending
    }
}

/// Wakes the workers when the queue has room again.
pub(crate) type WakeWorkers = Box<dyn Fn() + Send + Sync>;

/// Runs one turn of the only worker on this thread, which waits for at most so long. False when that can't be,
/// an error of kind `Interrupted` when a signal came.
pub(crate) type Lead = Box<dyn Fn(Option<Duration>) -> io::Result<bool> + Send + Sync>;

/// A server's event queue.
pub struct Queue {
    state: Mutex<State>,
    limit: u64,
    /// Bytes that wait: read by the workers, who stop reading sockets over the limit.
    bytes: AtomicU64,
    /// Some worker has stopped reading.
    held_back: AtomicBool,
    /// So many events the application has taken and dealt with: those of a batch when it takes again.
    consumed: AtomicU64,
    wake_workers: OnceCell<WakeWorkers>,
    lead: OnceCell<Lead>,
    /// So many threads run the worker, or are about to, until there is an event.
    leading: AtomicU32,
    fd: EventFd,
    lost_logs: AtomicU64,
}

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    events: u64,
    spares: Vec<Batch>,
    /// Somebody asked for the descriptor: it must always tell the truth.
    watched: bool,
    /// So many wait in `take`.
    waiting: u32,
    raised: bool,
    /// So many events were ever published.
    published: u64,
    /// Some worker waits for the application to deal with what it has taken.
    awaited: bool,
    /// STOPPED was published; and taken.
    stopped: bool,
    over: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Queue {
    /// A queue that holds reading back when more than `limit` bytes wait.
    pub fn new(limit: u64) -> Result<Arc<Self>> {
        let fd = EventFd::new().map_err(|error| Error::io("eventfd", &error))?;
        Ok(Arc::new(Self {
            state: Mutex::default(),
            limit,
            bytes: AtomicU64::new(0),
            held_back: AtomicBool::new(false),
            consumed: AtomicU64::new(0),
            wake_workers: OnceCell::new(),
            lead: OnceCell::new(),
            leading: AtomicU32::new(0),
            fd,
            lost_logs: AtomicU64::new(0),
        }))
    }

    /// How many bytes of events wait.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    pub(crate) fn set_wake(&self, wake: WakeWorkers) {
        let _ = self.wake_workers.set(wake);
    }

    pub(crate) fn set_lead(&self, lead: Lead) {
        let _ = self.lead.set(lead);
    }

    /// A descriptor that is readable exactly while events wait, for level-triggered pollers. Never
    /// read or close it.
    pub fn fd(&self) -> RawFd {
        let mut state = self.state.lock();
        state.watched = true;
        self.show(&mut state);
        self.fd.as_raw_fd()
    }

    /// Takes up to `max` events (0: all of the next batch), waiting for the first up to `timeout`
    /// (`None`: for ever). Returns how many; 0 when the time ran out or a signal came. CLOSED once
    /// STOPPED was taken.
    pub fn take(&self, into: &mut Taken, max: usize, timeout: Option<Duration>) -> Result<usize> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut lead = self.lead.get();
        let (mut first, mut counted, mut interrupted) = (true, false, false);
        loop {
            let mut state = self.state.lock();
            if std::mem::take(&mut first) {
                recycle(&mut state.spares, &mut into.batch);
                self.note_consumed(&mut state, into.upto);
            }
            state.waiting -= u32::from(std::mem::take(&mut counted));
            if self.pop(&mut state, into, max) {
                self.show(&mut state);
                drop(state);
                self.let_read();
                return Ok(into.batch.records.len());
            }
            if state.over {
                self.show(&mut state);
                return Err(Error::new(
                    ErrorKind::Closed,
                    "the server has stopped, and all its events were taken",
                ));
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let over =
                timeout.is_some_and(|timeout| timeout.is_zero()) || left.is_some_and(|left| left.is_zero());
            if over || interrupted {
                into.pending = 0;
                return Ok(0);
            }
            // Who waits has nothing left in hand, in whichever batch: else two batches in turn would hold
            // each client's end back for the close period.
            let taken = state.published - state.events;
            self.note_consumed(&mut state, taken);
            // Better than to wait for the worker is to be it.
            if let Some(run) = lead {
                drop(state);
                let _leading = Leading::new(self);
                match run(left) {
                    Ok(true) => {}
                    Ok(false) => lead = None,
                    Err(_) => interrupted = true,
                }
                continue;
            }
            state.waiting += 1;
            counted = true;
            self.show(&mut state);
            drop(state);
            if let Err(error) = self.fd.wait(left) {
                interrupted = error.kind() == io::ErrorKind::Interrupted;
                if !interrupted {
                    self.state.lock().waiting -= 1;
                    into.pending = 0;
                    return Err(Error::io("poll", &error));
                }
            }
        }
    }

    /// Moves the next batch, or its first `max` events, into `into`.
    fn pop(&self, state: &mut State, into: &mut Taken, max: usize) -> bool {
        let Some(first) = state.batches.front_mut() else { return false };
        if max == 0 || first.records.len() <= max {
            if let Some(batch) = state.batches.pop_front() {
                into.batch = batch;
            }
        } else {
            let rest_at = first.records.get(max).map_or(first.payload.len(), |r| r.data as usize);
            let rest =
                Batch { records: first.records.split_off(max), payload: first.payload.split_off(rest_at) };
            into.batch = std::mem::replace(first, rest);
            for record in &mut first.records {
                record.data -= rest_at as u64;
            }
        }
        let taken = into.batch.records.len() as u64;
        state.events -= taken;
        into.pending = state.events;
        into.upto = state.published - state.events;
        self.bytes.fetch_sub(into.batch.bytes(), Ordering::SeqCst);
        if state.stopped && state.events == 0 {
            state.over = true;
        }
        true
    }

    /// Who takes again has dealt with what it took before.
    fn note_consumed(&self, state: &mut State, upto: u64) {
        self.consumed.fetch_max(upto, Ordering::SeqCst);
        if std::mem::take(&mut state.awaited) {
            self.show(state);
            if let Some(wake) = self.wake_workers.get() {
                wake();
            }
        }
    }

    /// Makes the descriptor readable exactly when events wait, if anybody may look at it. A client whose
    /// end waits for the application to deal with its last batch is such an event: without it, a host
    /// that takes when the descriptor says so would not come again.
    fn show(&self, state: &mut State) {
        let taken = state.published - state.events;
        let awaited = state.awaited && self.consumed.load(Ordering::SeqCst) < taken;
        // Those who sleep in `take` have batches of their own: one that they do not hold can't call them.
        let called = (awaited && state.waiting == 0) || (state.over && state.waiting > 0);
        let filled = !state.batches.is_empty() || called;
        if filled && !state.raised && (state.watched || state.waiting > 0) {
            self.fd.raise();
            state.raised = true;
        } else if !filled && state.raised {
            self.fd.lower();
            state.raised = false;
        }
    }

    fn let_read(&self) {
        if self.held_back.load(Ordering::SeqCst)
            && !self.is_full()
            && self.held_back.swap(false, Ordering::SeqCst)
            && let Some(wake) = self.wake_workers.get()
        {
            wake();
        }
    }

    fn is_full(&self) -> bool {
        self.bytes.load(Ordering::SeqCst) > self.limit
    }

    /// Publishes a batch, which is left empty. Returns how many events were ever published then, or
    /// `None` when there was nothing to publish.
    fn publish(&self, batch: &mut Batch) -> Option<u64> {
        if batch.records.is_empty() {
            return None;
        }
        let mut state = self.state.lock();
        self.bytes.fetch_add(batch.bytes(), Ordering::SeqCst);
        state.events += batch.records.len() as u64;
        state.published += batch.records.len() as u64;
        state.stopped |= batch.records.last().is_some_and(|record| record.kind == Kind::Stopped as u32);
        match state.batches.back_mut() {
            Some(last)
                if last.records.len() < MERGE_EVENTS
                    && last.payload.len() + batch.payload.len() <= MERGE_BYTES =>
            {
                last.append(batch);
                batch.clear();
            }
            _ => {
                let spare = state.spares.pop().unwrap_or_default();
                state.batches.push_back(std::mem::replace(batch, spare));
            }
        }
        self.show(&mut state);
        let published = state.published;
        drop(state);
        // Who runs the worker may be asleep in its poller: not if it is this thread, then that costs nothing.
        if self.leading.load(Ordering::SeqCst) > 0
            && let Some(wake) = self.wake_workers.get()
        {
            wake();
        }
        Some(published)
    }

    fn await_consumption(&self) {
        let mut state = self.state.lock();
        state.awaited = true;
        self.show(&mut state);
    }

    /// Publishes one event.
    pub(crate) fn raise(&self, event: &Event<'_>) {
        let mut batch = Batch::default();
        batch.push(event);
        self.publish(&mut batch);
    }

    /// How many events wait to be taken, and their bytes.
    pub fn waiting(&self) -> (u64, u64) {
        (self.state.lock().events, self.bytes.load(Ordering::SeqCst))
    }

    /// How many log lines were dropped because the queue was full.
    pub fn dropped_logs(&self) -> u64 {
        self.lost_logs.load(Ordering::Relaxed)
    }

    /// Publishes a log line, unless the queue is full.
    pub(crate) fn log(&self, event: &Event<'_>) {
        if self.is_full() {
            self.lost_logs.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.raise(event);
    }
}

/// A thread that runs the worker for want of events.
struct Leading<'a>(&'a AtomicU32);

impl<'a> Leading<'a> {
    fn new(queue: &'a Queue) -> Self {
        queue.leading.fetch_add(1, Ordering::SeqCst);
        Self(&queue.leading)
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn recycle(spares: &mut Vec<Batch>, batch: &mut Batch) {
    let mut batch = std::mem::take(batch);
    if spares.len() < SPARES && batch.records.capacity() > 0 && batch.payload.capacity() <= SPARE_BYTES {
        batch.clear();
        spares.push(batch);
    }
}

/// One worker's way into the queue.
pub(super) struct PullSink {
    queue: Arc<Queue>,
    batch: Batch,
    /// The latest publication.
    published: u64,
    /// Turns that the application has not dealt with: their numbers, and what was published after them.
    turns: VecDeque<(u64, u64)>,
    consumed: u64,
}

impl PullSink {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue, batch: Batch::default(), published: 0, turns: VecDeque::new(), consumed: 0 }
    }
}

impl PullSink {
    fn publish(&mut self) {
        if let Some(published) = self.queue.publish(&mut self.batch) {
            self.published = published;
        }
    }
}

impl Sink for PullSink {
    #[inline]
    fn event(&mut self, event: &Event<'_>) {
        self.batch.push(event);
        if self.batch.records.len() >= BATCH_EVENTS || self.batch.payload.len() >= BATCH_BYTES {
            self.publish();
        }
    }

    fn flush(&mut self, turn: u64) {
        self.publish();
        if self.turns.back().map_or(0, |(_, published)| *published) < self.published {
            self.turns.push_back((turn, self.published));
        }
        self.consumed();
    }

    fn consumed(&mut self) -> u64 {
        let consumed = self.queue.consumed.load(Ordering::SeqCst);
        while let Some((turn, _)) = self.turns.front().filter(|(_, published)| *published <= consumed) {
            self.consumed = *turn;
            self.turns.pop_front();
        }
        self.consumed
    }

    fn await_consumption(&mut self) {
        self.queue.await_consumption();
    }

    fn is_awaited(&self) -> bool {
        self.queue.leading.load(Ordering::SeqCst) > 0 && self.queue.bytes.load(Ordering::SeqCst) > 0
    }

    fn saturated(&self) -> bool {
        if !self.queue.is_full() {
            return false;
        }
        // Marked first, looked at again afterwards: who takes in between sees the mark or makes room.
        self.queue.held_back.store(true, Ordering::SeqCst);
        self.queue.bytes.fetch_add(0, Ordering::SeqCst) > self.queue.limit
    }
}

#[cfg(test)]
#[path = "pull_tests.rs"]
mod tests;

#[cfg(all(test, wsgate_loom))]
#[path = "pull_models.rs"]
mod models;
