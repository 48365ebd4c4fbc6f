//! `threads push|pull|seat SECONDS`: every call that any thread may make, from four threads at once, while clients
//! come and go in every way; then all four stop the server under load. ThreadSanitizer watches.
//!
//! Ids travel through relaxed atomics: a lock would order the threads, and hide what they race for.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)] // it is a test

use std::io::ErrorKind::ConnectionRefused;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use wsgate::{
    Cause, ClientId, Config, Delivery, ErrorKind, Event, GatewayId, Handle, Kind, Queue, Result, Server,
    Taken,
};

const WORKERS: u64 = 3;
const CALLERS: u64 = 4;
const CLIENTS: u64 = 8;
/// Small, so that sends are refused, broadcasts find slow clients, and a queue holds reading back.
const OUTBOX: u64 = 64 << 10;
const QUEUE: u64 = 64 << 10;
const HANDSHAKE: &str = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// What all threads of the test know.
#[derive(Default)]
struct World {
    ids: [AtomicU64; 16],
    gateways: [AtomicU64; 4],
    over: AtomicBool,
    accepted: AtomicU64,
    closed: AtomicU64,
    shut_down: AtomicU64,
    messages: AtomicU64,
    asked: AtomicU64,
    told: AtomicU64,
    stopped: AtomicU64,
    after_stopped: AtomicU64,
    oks: AtomicU64,
    refused: AtomicU64,
}

impl World {
    fn client(&self, n: u64) -> ClientId {
        ClientId(self.ids[n as usize % self.ids.len()].load(Relaxed))
    }

    fn gateway(&self, n: u64) -> GatewayId {
        GatewayId(self.gateways[n as usize % self.gateways.len()].load(Relaxed))
    }

    /// An outcome that a call may have while the client, the gateway or the server goes away under it.
    fn note(&self, result: Result<()>) {
        match result {
            Ok(()) => self.oks.fetch_add(1, Relaxed),
            Err(error) if matches!(error.kind(), ErrorKind::Closed | ErrorKind::Full) => {
                self.refused.fetch_add(1, Relaxed)
            }
            Err(error) => panic!("{:?}: {error}", error.kind()),
        };
    }

    /// The same for a call that asks for what became of it.
    fn note_asked(&self, result: Result<()>) {
        self.asked.fetch_add(u64::from(result.is_ok()), Relaxed);
        self.note(result);
    }

    /// What the application does with an event, in a callback or with what it took.
    fn on_event(&self, server: &Handle, kind: u32, client: u64, value: u64, data: &[u8]) {
        if self.stopped.load(Relaxed) > 0 {
            self.after_stopped.fetch_add(1, Relaxed);
        }
        if kind == Kind::Accept as u32 {
            let n = self.accepted.fetch_add(1, Relaxed);
            self.ids[n as usize % self.ids.len()].store(client, Relaxed);
            self.note(server.set_user_data(ClientId(client), client));
            self.note(server.join_gateway(self.gateway(n), ClientId(client)));
        } else if kind == Kind::Message as u32 || kind == Kind::Chunk as u32 {
            self.messages.fetch_add(1, Relaxed);
            self.note(server.send_binary(ClientId(client), data));
        } else if kind == Kind::Close as u32 {
            self.closed.fetch_add(1, Relaxed);
            self.shut_down.fetch_add(u64::from(value == Cause::Shutdown as u64), Relaxed);
        } else if kind == Kind::Outcome as u32 {
            self.told.fetch_add(1, Relaxed);
        } else if kind == Kind::Stopped as u32 {
            self.stopped.fetch_add(1, Relaxed);
        }
    }
}

/// One of the four: all calls, in another order each.
fn call(world: &World, server: &Handle, seed: u64) {
    let large = vec![b'x'; 100_000];
    let mut n = seed * 1000;
    while !world.over.load(Relaxed) {
        n += 1;
        let (client, gateway) = (world.client(n / 3), world.gateway(n / 7));
        match n % 97 {
            0 => world.note(server.close(client, 1000, b"enough")),
            1 => {
                let slot = &world.gateways[n as usize / 97 % world.gateways.len()];
                let old = GatewayId(slot.swap(server.new_gateway().unwrap().0, Relaxed));
                world.note(server.free_gateway(old));
            }
            2 => world.note(server.broadcast_binary(gateway, &large, &[client])),
            3 => world.note(server.send_binary(client, &large)),
            4..20 => world.note(server.broadcast_text(gateway, b"to all but one", &[client])),
            46..50 => world.note(server.multicast_text(gateway, b"to some", &[client, world.client(n)])),
            50..54 => world.note_asked(server.multicast_with_outcome(gateway, false, b"?", &[client], n)),
            54..56 => world.note_asked(server.broadcast_with_outcome(gateway, true, &large, &[], n)),
            56 => drop(server.gateway_clients(gateway)),
            57 => {
                let name = format!("gateway {}", n % 3);
                // Another may have the name.
                let _ = server.set_gateway_name(gateway, &name);
                drop((server.find_gateway(&name), server.gateway_name(gateway)));
            }
            20..30 => world.note(server.join_gateway(gateway, client)),
            30..35 => world.note(server.leave_gateway(gateway, client)),
            35..40 => world.note(server.ping(client, n)),
            40..45 => world.note(server.set_user_data(client, n)),
            45 => drop(server.gateway_count(gateway)),
            58..75 => in_parts(server, client, n),
            _ => world.note(server.send_text(client, b"to one")),
        }
        if n.is_multiple_of(16) {
            thread::yield_now();
        }
    }
}

/// A part of a message. Another thread may have begun one, or ended it: then it is refused.
fn in_parts(server: &Handle, client: ClientId, n: u64) {
    drop(match n % 97 {
        58..61 => server.begin_text(client),
        61 => server.begin_binary(client),
        62..72 => server.send_chunk(client, b"a part "),
        72..74 => server.end_message(client, b"the last"),
        _ => server.discard(client, n % 5),
    });
}

/// A masked frame of the key 0, under which bytes stay what they are.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

/// Comes, says something in the same write as its handshake, reads for a while, and goes in one of five ways.
fn visit(port: u16, n: u64) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut said = HANDSHAKE.as_bytes().to_vec();
    for _ in 0..n % 20 {
        said.extend(frame(0x82, b"to be echoed"));
    }
    stream.write_all(&said)?;
    let mut buffer = vec![0; 32 << 10];
    for _ in 0..n % 7 {
        if stream.read(&mut buffer)? == 0 {
            return Ok(());
        }
        stream.write_all(&frame(0x01, b"in "))?;
        stream.write_all(&[frame(0x89, b"between"), frame(0x80, b"two")].concat())?;
    }
    match n % 5 {
        0 => {
            stream.write_all(&frame(0x88, &[3, 232]))?;
            while stream.read(&mut buffer)? > 0 {}
        }
        1 => stream.shutdown(Shutdown::Write)?,
        2 => stream.write_all(b"\xff\xff no frame at all")?,
        3 => while stream.read(&mut buffer)? > 0 {},
        // What it has not read makes the end a reset.
        _ => {}
    }
    Ok(())
}

fn run(mode: &str, seconds: u64, world: &Arc<World>) -> Result<()> {
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
    let server = Server::start(config, delivery)?;
    let port = server.port(0)?;
    thread::scope(|scope| {
        if mode != "push" {
            scope.spawn(|| {
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
                        world.on_event(&server, record.kind, record.client, record.value, taken.data(record));
                    }
                }
            });
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
        let end = Instant::now() + Duration::from_secs(seconds);
        thread::sleep(end.saturating_duration_since(Instant::now()));
        world.over.store(true, Relaxed);
    });
    Ok(())
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    let seconds = arguments.next().and_then(|seconds| seconds.parse().ok());
    let (true, Some(seconds)) = (["push", "pull", "seat"].contains(&mode.as_str()), seconds) else {
        eprintln!("usage: threads push|pull|seat SECONDS");
        return ExitCode::from(2);
    };
    let world = Arc::new(World::default());
    if let Err(error) = run(&mode, seconds, &world) {
        eprintln!("threads: {error}");
        return ExitCode::FAILURE;
    }
    let count = |counter: &AtomicU64| counter.load(Relaxed);
    println!(
        "{mode}: {} clients, {} of them there at the stop, {} messages, {} calls OK, {} refused",
        count(&world.accepted),
        count(&world.shut_down),
        count(&world.messages),
        count(&world.oks),
        count(&world.refused),
    );
    let told = [
        (count(&world.accepted) > 0, "somebody came"),
        (count(&world.messages) > 0, "somebody spoke"),
        (count(&world.oks) > 0 && count(&world.refused) > 0, "calls met clients that were there and gone"),
        (count(&world.accepted) == count(&world.closed), "one CLOSE for each ACCEPT"),
        (
            count(&world.asked) > 0 && count(&world.asked) == count(&world.told),
            "one OUTCOME for each that asked",
        ),
        (count(&world.stopped) == 1 && count(&world.after_stopped) == 0, "STOPPED once, and last"),
    ];
    for (_, promise) in told.iter().filter(|(kept, _)| !kept) {
        eprintln!("threads {mode}: not so: {promise}");
    }
    if told.iter().all(|(kept, _)| *kept) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
