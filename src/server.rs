//! A server's life: start, stop, and the calls in between.

mod answers;
mod flow;
mod gateways;
mod parts;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::admission::Admissions;
use crate::clock::Now;
use crate::config::{ClientId, Config, Handshakes};
use crate::delivery::{Delivery, Queue};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Kind, Sink};
use crate::front::{self, Bound, Front, Intake, Newcomer, Upgraded};
use crate::message::Message;
use crate::protocol::deflate::Agreement;
use crate::sys;
use crate::telemetry;
use crate::worker::{self, Arrival, Batch, Command, Desk, Poster, Seat, Shared, Spread, Worker, desk};

/// What can be told to a running server. Every call may come from any thread, callbacks too, and
/// returns without waiting. Once the server has stopped, ids are stale.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
    front: front::Shared,
    /// The process that has the threads.
    epoch: u32,
}

/// A running server: a [`Handle`], and its end. Dropping it stops it at once and waits for its threads.
#[derive(Debug)]
pub struct Server {
    handle: Handle,
    /// Of each address; `None` for those without one.
    ports: Vec<Option<u16>>,
    /// How the front is told to begin.
    open: Mutex<Option<oneshot::Sender<()>>>,
    /// How the front is told to stop; taken by the first stop.
    stop_front: Mutex<Option<oneshot::Sender<()>>>,
    stopping: Arc<Stopping>,
    supervisor: Mutex<Option<JoinHandle<()>>>,
    /// Of pull delivery.
    queue: Option<Arc<Queue>>,
}

impl std::ops::Deref for Server {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

/// Whether and how the server is coming to its end.
#[derive(Debug, Default)]
struct Stopping {
    state: Mutex<Stop>,
}

#[derive(Debug, Default)]
struct Stop {
    /// When the clients that are left will be cut.
    deadline: Option<Instant>,
    /// While it drains: when the last client is closed.
    drained: Option<Instant>,
}

/// So many that wait to become clients because the event queue is full stop the accepting of others.
const ARRIVALS: usize = 64;

impl Server {
    /// Binds, starts the threads, and serves. Address in use: BUSY.
    pub fn start(config: Config, delivery: Delivery) -> Result<Self> {
        let server = Self::prepare(config, delivery)?;
        server.open();
        Ok(server)
    }

    /// Begins to accept connections.
    pub(crate) fn open(&self) {
        if let Some(open) = self.open.lock().take() {
            // It fails when the server was stopped meanwhile.
            let _ = open.send(());
        }
    }

    /// Binds and starts the threads. No event is raised before [`Server::open`], so that callbacks find
    /// the server where its maker has put it.
    pub(crate) fn prepare(config: Config, delivery: Delivery) -> Result<Self> {
        if config.addresses.is_empty() {
            return Err(Error::invalid("no address to listen on was set"));
        }
        sys::watch();
        let listeners = config
            .addresses
            .iter()
            .map(|address| Bound::bind(address, config.http.unix_mode))
            .collect::<Result<Vec<_>>>()?;
        let ports = listeners.iter().map(Bound::port).collect();
        let workers = match config.workers {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            workers => workers as usize,
        };
        let (mut polls, mut mailboxes) = (Vec::new(), Vec::new());
        for _ in 0..workers {
            let (poll, mailbox) =
                worker::pair(worker::WAKER).map_err(|error| Error::io("making a poller", &error))?;
            polls.push(poll);
            mailboxes.push(mailbox);
        }
        let settings = front::Settings {
            endpoints: config
                .endpoints
                .iter()
                .map(|endpoint| {
                    let compression = endpoint.compression.settings();
                    (endpoint.pattern.clone(), Handshakes { compression, ..endpoint.handshakes.clone() })
                })
                .collect(),
            http: config.http.clone(),
        };
        let shared = Arc::new(Shared::new(
            config.endpoints,
            Arc::clone(&config.gateways),
            config.queue_limit,
            mailboxes,
        ));
        worker::register(&shared);
        let http = &settings.http;
        let front_shared = front::Shared {
            pending: Arc::default(),
            admissions: Admissions::new(http.max_connections, http.max_connections_per_address),
            census: Arc::default(),
        };
        let handle = Handle { shared: Arc::clone(&shared), front: front_shared.clone(), epoch: sys::epoch() };
        let queue = match &delivery {
            Delivery::Pull(queue) => Some(Arc::clone(queue)),
            Delivery::Push(_) => None,
        };
        if let Some(queue) = &queue {
            let mailboxes = shared.mailboxes.clone();
            let waiting = Arc::clone(queue);
            shared.outcomes.set_waiting(Box::new(move || waiting.bytes()));
            queue.set_wake(Box::new(move || mailboxes.iter().for_each(|mailbox| mailbox.wake())));
        }
        let intake = Arc::new(HandOut { delivery: delivery.clone(), handle: handle.clone() });
        let front = Front::new(listeners, settings, front_shared, intake)
            .map_err(|error| Error::io("starting the front", &error))?;

        let logs = telemetry::dispatch(&delivery, &handle, config.log_level);
        let mut threads = Vec::new();
        for (number, poll) in polls.into_iter().enumerate() {
            let (handle, delivery, logs) = (handle.clone(), delivery.clone(), logs.clone());
            let name = format!("wsgate-{number}");
            // Only one, and its events are taken by a thread of the host's: that may run it meanwhile.
            let lone = match &delivery {
                Delivery::Pull(queue) if workers == 1 => Some(Arc::clone(queue)),
                _ => None,
            };
            let thread = match lone {
                Some(queue) => {
                    seat_worker(&handle, poll, logs, &queue);
                    spawn(&name, move || handle.shared.seat.get().map_or((), Seat::run))
                }
                None => spawn(&name, move || {
                    let shared = Arc::clone(&handle.shared);
                    let worker = Worker::<Rc<Desk>>::new(number as u16, poll, shared, delivery.sink(&handle));
                    telemetry::within(logs.as_ref(), || worker.map_or((), Worker::run));
                }),
            };
            match thread {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    tell(&shared, Instant::now(), true);
                    if let Some(seat) = shared.seat.get() {
                        seat.vacate();
                    }
                    threads.into_iter().for_each(|thread| drop(thread.join()));
                    return Err(Error::io("starting a worker", &error));
                }
            }
        }
        let (open, opened) = oneshot::channel();
        let (stop_front, stop) = oneshot::channel();
        let stopping = Arc::new(Stopping::default());
        let supervisor = {
            let (handle, stopping) = (handle.clone(), Arc::clone(&stopping));
            spawn("wsgate-front", move || {
                desk::enter_engine();
                if opened.blocking_recv().is_ok() {
                    // Whatever happens there: the workers must be stopped, and STOPPED raised.
                    let run = || telemetry::within(logs.as_ref(), || front.run(stop));
                    let _ = catch_unwind(AssertUnwindSafe(run));
                }
                supervise(&handle.shared, &stopping, threads, delivery.sink(&handle));
            })
        };
        let supervisor = supervisor.map_err(|error| {
            tell(&shared, Instant::now(), true);
            Error::io("starting the front's thread", &error)
        })?;
        Ok(Self {
            handle,
            ports,
            open: Mutex::new(Some(open)),
            stop_front: Mutex::new(Some(stop_front)),
            stopping,
            supervisor: Mutex::new(Some(supervisor)),
            queue,
        })
    }

    /// The port of the `index`-th address, as the system chose it for port 0.
    pub fn port(&self, index: usize) -> Result<u16> {
        let count = self.ports.len();
        let port = self
            .ports
            .get(index)
            .ok_or_else(|| Error::invalid(format!("address {index} is not one of the server's {count}")))?;
        port.ok_or_else(|| Error::invalid(format!("address {index} has no port")))
    }

    /// Stops: no new clients, 1001 "Server shutting down" to all, and after the grace period the rest
    /// is cut. Returns at once; STOPPED is the last event. Stopping again can only shorten the grace; in a
    /// drain it ends the spread.
    pub fn stop(&self, grace: Duration) -> Result<()> {
        self.here()?;
        let deadline = after(Instant::now(), grace);
        let mut state = self.stopping.state.lock();
        let draining = state.drained.take().is_some();
        if draining || state.deadline.is_none_or(|until| deadline < until) {
            let deadline = state.deadline.map_or(deadline, |until| until.min(deadline));
            state.deadline = Some(deadline);
            // At once: the front may have to wait for a half-sent request, the clients have their grace.
            tell(&self.handle.shared, deadline, false);
        }
        drop(state);
        self.close_front();
        Ok(())
    }

    /// Stops over a time: no new clients at once, 1001 "Server shutting down" to those who are there, one by
    /// one, evenly over `spread`, and after the grace period, which begins then, the rest is cut. Returns
    /// at once; STOPPED comes when the last client is gone. Draining again can only shorten it, as can a
    /// stop.
    pub fn drain(&self, spread: Duration, grace: Duration) -> Result<()> {
        self.here()?;
        let from = Instant::now();
        let until = after(from, spread);
        let mut state = self.stopping.state.lock();
        // A stop has ended the spread for good.
        if state.deadline.is_none() || state.drained.is_some_and(|earlier| until < earlier) {
            let deadline = after(until, grace);
            let deadline = state.deadline.map_or(deadline, |earlier| earlier.min(deadline));
            *state = Stop { deadline: Some(deadline), drained: Some(until) };
            let mailboxes = &self.handle.shared.mailboxes;
            for (number, mailbox) in mailboxes.iter().enumerate() {
                let phase = (number as f64 + 0.5) / mailboxes.len() as f64;
                let spread = Box::new(Spread { from, until, phase });
                mailbox.post(|batch| batch.commands.push(Command::Drain { spread, deadline }));
            }
            self.handle.shared.nudge();
        }
        drop(state);
        self.close_front();
        Ok(())
    }

    fn close_front(&self) {
        drop(self.open.lock().take());
        if let Some(stop) = self.stop_front.lock().take() {
            // It fails when the front has ended already.
            let _ = stop.send(());
        }
    }

    /// Waits until the server has stopped; does not stop it. REENTRANT on the engine's own threads.
    pub fn join(&self) -> Result<()> {
        self.here()?;
        if desk::in_engine() {
            return Err(Error::new(ErrorKind::Reentrant, "a callback can't wait for the server's end"));
        }
        if let Some(supervisor) = self.supervisor.lock().take() {
            // A panic there was the end of it, too.
            let _ = supervisor.join();
        }
        Ok(())
    }
}

impl Handle {
    /// Whether this is the process that started it: FORKED in a child.
    pub fn here(&self) -> Result<()> {
        if self.epoch == sys::epoch() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forked,
            "the server was started before fork(), and its threads are in the parent process",
        ))
    }

    /// Posts single commands.
    fn poster(&self) -> Result<Poster<'_>> {
        self.here()?;
        Ok(Poster::direct(&self.shared))
    }

    /// Sends a text message; it must be UTF-8. OK means queued; FULL: DRAIN will come.
    pub fn send_text(&self, client: ClientId, text: &[u8]) -> Result<()> {
        self.send(client, Message::text(text))
    }

    /// Sends a binary message. OK means queued; FULL: DRAIN will come.
    pub fn send_binary(&self, client: ClientId, data: &[u8]) -> Result<()> {
        self.send(client, Message::binary(data))
    }

    /// Sends a message. OK means queued; FULL: DRAIN will come.
    pub fn send(&self, client: ClientId, message: Message<'_>) -> Result<()> {
        self.poster()?.send(client, message)
    }

    /// Pings; the answer raises PONG with this ticket.
    pub fn ping(&self, client: ClientId, ticket: u64) -> Result<()> {
        self.poster()?.ping(client, ticket)
    }

    /// Begins the closing handshake (RFC 6455 §7.1.2). The reason has at most 123 bytes.
    pub fn close(&self, client: ClientId, code: u32, reason: &[u8]) -> Result<()> {
        self.poster()?.close(client, code, reason)
    }

    /// Gives a client a word, which comes with each of its events from now on.
    pub fn set_user_data(&self, client: ClientId, word: u64) -> Result<()> {
        self.here()?;
        let set = self.shared.clients.with(client.0, |client| client.set_user_data(word));
        set.ok_or_else(|| Error::new(ErrorKind::Closed, format!("client {} is gone", client.0)))
    }

    /// Gathers many commands, for the C ABI's batched way back.
    pub(crate) fn gathering<'a>(&'a self, batches: &'a mut Vec<Batch>) -> Result<Poster<'a>> {
        self.here()?;
        Ok(Poster::gathering(&self.shared, batches))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // In a forked child there is nothing to stop.
        if self.stop(Duration::ZERO).is_ok() {
            let _ = self.join();
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    sys::blocked(|| std::thread::Builder::new().name(name.to_owned()).spawn(run))
}

/// So much later, or in a year.
fn after(from: Instant, time: Duration) -> Instant {
    from.checked_add(time).unwrap_or(from + Duration::from_secs(365 * 24 * 3600))
}

/// Makes the only worker, in a seat that a thread which takes from `queue` may use.
fn seat_worker(handle: &Handle, poll: mio::Poll, logs: Option<tracing::Dispatch>, queue: &Arc<Queue>) {
    let sink = Delivery::Pull(Arc::clone(queue)).sink(handle);
    let shared = Arc::clone(&handle.shared);
    if let Some(worker) = Worker::<Box<Desk>>::new(0, poll, Arc::clone(&shared), sink) {
        let _ = shared.seat.set(Seat::new(worker, logs));
    }
    queue.set_lead(Box::new(move |limit| shared.seat.get().map_or(Ok(false), |seat| seat.lead(limit))));
}

/// Tells all workers to stop; with `last`, that no more clients will come, so that they may end.
fn tell(shared: &Shared, deadline: Instant, last: bool) {
    for mailbox in &shared.mailboxes {
        mailbox.post(|batch| batch.commands.push(Command::Stop { deadline, last }));
    }
    shared.nudge();
}

/// What follows the front's end: the workers stop, then STOPPED is raised.
fn supervise(shared: &Shared, stopping: &Stopping, workers: Vec<JoinHandle<()>>, mut sink: Box<dyn Sink>) {
    {
        let state = stopping.state.lock();
        tell(shared, state.deadline.unwrap_or_else(Instant::now), true);
    }
    for worker in workers {
        let _ = worker.join();
    }
    shared.outcomes.close(|outcome| {
        worker::with_event(outcome, Now::read().wall_ns, |event| {
            let _ = catch_unwind(AssertUnwindSafe(|| sink.event(event)));
        });
    });
    let stopped = Event::of_server(Kind::Stopped, Now::read().wall_ns);
    let _ = catch_unwind(AssertUnwindSafe(|| sink.event(&stopped)));
    sink.flush(0);
}

/// What the front has of the rest of the server.
struct HandOut {
    delivery: Delivery,
    handle: Handle,
}

impl Intake for HandOut {
    fn adopt(&self, upgraded: Upgraded) {
        let Upgraded { socket, permit, early, endpoint, client } = upgraded;
        let arrival = Arrival { socket, early, permit: Some(permit) };
        match client {
            Newcomer::Unnamed(request, compression) => {
                self.handle.shared.adopt(arrival, endpoint, request, compression);
            }
            Newcomer::Expected(id) => self.handle.shared.bring(arrival, endpoint, id),
        }
    }

    fn is_behind(&self) -> bool {
        self.handle.shared.arrivals.load(Ordering::Relaxed) >= ARRIVALS
    }

    fn reserve(&self, endpoint: u32, compression: Option<Agreement>) -> Option<u64> {
        self.handle.shared.reserve(endpoint, compression)
    }

    fn release(&self, id: u64) {
        self.handle.shared.release(id);
    }

    fn lose(&self, id: u64) {
        self.handle.shared.lose(id);
    }

    fn raise(&self, event: &Event<'_>) -> bool {
        self.delivery.raise(&self.handle, event)
    }
}
