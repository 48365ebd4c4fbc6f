//! `threads push|pull|seat SECONDS [CLIENTS CALLS]`: every call that any thread may make, from eight threads at once,
//! while clients come and go in every way; then all eight stop the server under load. It goes on until so many clients
//! are gone, and so many calls were made with ids that are nobody's. Then servers that are freed in each state amid
//! the same. ThreadSanitizer watches.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)] // it is a test

mod calls;
mod visits;
mod world;

use std::io::ErrorKind::ConnectionRefused;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use wsgate::{Config, Delivery, Event, Handle, Queue, Result, Server, Taken};

use calls::call;
use visits::{linger, visit};
use world::World;

const WORKERS: u64 = 3;
const CALLERS: u64 = 8;
const CLIENTS: u64 = 16;
/// Small, so that sends are refused, broadcasts find slow clients, and a queue holds reading back.
const OUTBOX: u64 = 64 << 10;
const QUEUE: u64 = 64 << 10;
/// What was asked for has happened by then, or the run has failed.
const LIMIT: Duration = Duration::from_secs(400);

/// What a run goes on for.
struct Goal {
    seconds: u64,
    clients: u64,
    stale: u64,
}

/// In what state a server is freed.
#[derive(Clone, Copy, Debug)]
enum State {
    JustStarted,
    WithClients,
    Stopping,
    Draining,
    Stopped,
}

fn start(mode: &str, world: &Arc<World>) -> Result<(Server, Arc<Queue>)> {
    let mut config = Config::new();
    config.listen("127.0.0.1:0")?;
    // Alone, the worker is run by the thread that takes.
    config.set_workers(if mode == "seat" { 1 } else { WORKERS })?;
    config.set_log_level(5)?;
    let endpoint = config.add_endpoint("/")?;
    config.set_outbox_limit(endpoint, OUTBOX, 1000)?;
    config.set_close_period(endpoint, 200)?;
    config.set_streaming(endpoint, true)?;
    let everybody = config.new_gateway()?;
    config.set_gateway(endpoint, everybody)?;
    for gateway in &world.gateways {
        gateway.store(config.new_gateway()?.0, Relaxed);
    }
    let queue = Queue::new(QUEUE)?;
    let delivery = match mode {
        "pull" | "seat" => Delivery::Pull(Arc::clone(&queue)),
        _ => {
            let world = Arc::clone(world);
            Delivery::push(move |server: &Handle, event: &Event<'_>| {
                world.on_event(server, event.kind as u32, event.client, event.value, event.data);
            })
        }
    };
    Ok((Server::start(config, delivery)?, queue))
}

/// The application that takes its events: to the last.
fn take(mode: &str, world: &World, server: &Handle, queue: &Queue) {
    if mode == "pull" {
        queue.fd();
    }
    let mut taken = Taken::new();
    for turn in 0u64.. {
        let max = if turn.is_multiple_of(3) { 5 } else { 0 };
        let timeout = Duration::from_millis(turn % 2 * 100);
        if queue.take(&mut taken, max, Some(timeout)).is_err() {
            return;
        }
        for record in taken.records() {
            world.on_event(server, record.kind, record.client, record.value, taken.data(record));
        }
    }
}

fn run(mode: &str, goal: &Goal, world: &Arc<World>) -> Result<()> {
    let (server, queue) = start(mode, world)?;
    let port = server.port(0)?;
    thread::scope(|scope| {
        if mode != "push" {
            scope.spawn(|| take(mode, world, &server, &queue));
        }
        for n in 0..CLIENTS {
            scope.spawn(move || {
                // Cut or reset: that happens to clients of a server like this. They come until it has stopped.
                for turn in 0.. {
                    let refused = visit(port, n + turn * 3).is_err_and(|e| e.kind() == ConnectionRefused);
                    if refused {
                        return;
                    }
                }
            });
        }
        for seed in 0..CALLERS {
            let (world, server) = (&world, &server);
            scope.spawn(move || {
                call(world, server, seed);
                if seed == 0 {
                    server.drain(Duration::from_millis(300), Duration::from_millis(200)).unwrap();
                }
                server.stop(Duration::from_millis(100 * (CALLERS - seed))).unwrap();
                server.join().unwrap();
            });
        }
        let began = Instant::now();
        let is_reached = || {
            began.elapsed() >= Duration::from_secs(goal.seconds)
                && world.closed.load(Relaxed) >= goal.clients
                && world.stale.load(Relaxed) >= goal.stale
        };
        while !is_reached() && began.elapsed() < LIMIT {
            thread::sleep(Duration::from_millis(20));
        }
        world.over.store(true, Relaxed);
    });
    Ok(())
}

/// Frees a server in a state, with callers who go on, clients, and some in the midst of their handshakes.
fn free(mode: &str, state: State, world: &Arc<World>) -> Result<()> {
    let (server, queue) = start(mode, world)?;
    let port = server.port(0)?;
    let handle = Handle::clone(&server);
    thread::scope(|scope| {
        let taker = (mode != "push").then(|| scope.spawn(|| take(mode, world, &handle, &queue)));
        let clients: Vec<_> = match state {
            State::JustStarted => Vec::new(),
            _ => (0..20).filter_map(|n| linger(port, n).ok()).collect(),
        };
        let caller = |seed| {
            let (world, handle) = (&world, &handle);
            scope.spawn(move || call(world, handle, seed))
        };
        let callers: Vec<_> = (0..CALLERS).map(caller).collect();
        let hour = Duration::from_secs(3600);
        match state {
            State::JustStarted | State::WithClients => {}
            State::Stopping => server.stop(hour).unwrap(),
            State::Draining => server.drain(hour, hour).unwrap(),
            State::Stopped => {
                server.stop(Duration::ZERO).unwrap();
                server.join().unwrap();
            }
        }
        drop(server);
        // They find out that it is gone.
        let stale = world.stale.load(Relaxed);
        while world.stale.load(Relaxed) < stale + 100 {
            thread::yield_now();
        }
        world.over.store(true, Relaxed);
        drop(clients);
        // The scope would wait as well, but ThreadSanitizer does not see that.
        callers.into_iter().chain(taker).for_each(|thread| thread.join().unwrap());
    });
    Ok(())
}

/// Whether the world was as it must be. `goal`: it was to last.
fn is_as_promised(what: &str, world: &World, goal: Option<&Goal>) -> bool {
    let count = |counter: &AtomicU64| counter.load(Relaxed);
    println!(
        "{what}: {} clients, {} of them there at the stop, {} messages, {} calls OK, {} refused, {} with ids of nobody",
        count(&world.accepted),
        count(&world.shut_down),
        count(&world.messages),
        count(&world.oks),
        count(&world.refused),
        count(&world.stale),
    );
    let mut told = vec![
        (count(&world.accepted) == count(&world.closed), "one CLOSE for each ACCEPT"),
        (count(&world.asked) == count(&world.told), "one OUTCOME for each that asked"),
        (count(&world.stopped) == 1 && count(&world.after_stopped) == 0, "STOPPED once, and last"),
    ];
    if let Some(goal) = goal {
        told.extend([
            (count(&world.accepted) > 0, "somebody came"),
            (count(&world.messages) > 0, "somebody spoke"),
            (
                count(&world.oks) > 0 && count(&world.refused) > 0,
                "calls met clients that were there and gone",
            ),
            (count(&world.asked) > 0, "somebody asked for an OUTCOME"),
            (count(&world.closed) >= goal.clients, "in time, as many clients came and went as were to"),
            (
                count(&world.stale) >= goal.stale,
                "in time, as many calls with ids of nobody as there were to be",
            ),
        ]);
    }
    for (_, promise) in told.iter().filter(|(kept, _)| !kept) {
        eprintln!("threads {what}: not so: {promise}");
    }
    told.iter().all(|(kept, _)| *kept)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mode = arguments.first().map(String::as_str).unwrap_or_default();
    let numbers: Vec<u64> = arguments.iter().skip(1).filter_map(|number| number.parse().ok()).collect();
    let goal = match (["push", "pull", "seat"].contains(&mode), &numbers[..]) {
        (true, &[seconds]) => Goal { seconds, clients: 0, stale: 0 },
        (true, &[seconds, clients, stale]) => Goal { seconds, clients, stale },
        _ => {
            eprintln!("usage: threads push|pull|seat SECONDS [CLIENTS CALLS]");
            return ExitCode::from(2);
        }
    };
    let mut kept = true;
    let world = Arc::new(World::default());
    let mut note = |what: &str, ran: Result<()>, world: &World, goal: Option<&Goal>| {
        if let Err(error) = ran {
            eprintln!("threads {what}: {error}");
            kept = false;
        }
        kept &= is_as_promised(what, world, goal);
    };
    note(mode, run(mode, &goal, &world), &world, Some(&goal));
    for state in [State::JustStarted, State::WithClients, State::Stopping, State::Draining, State::Stopped] {
        let world = Arc::new(World::default());
        let what = format!("{mode}: freed {state:?}");
        note(&what, free(mode, state, &world), &world, None);
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
