//! Eight threads that call with a million stale ids, and with good ones, while clients come and go; and
//! servers that end abruptly in the midst of it all.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use wsgate::{ClientId, Delivery, ErrorKind, Event, GatewayId, Handle, Kind, Result, Server};

use super::peer::{BINARY, HANDSHAKE, close, frame};
use super::process::alone;
use super::random::Random;
use super::served::{PATIENCE, config};

const SEED: u64 = 9;
const CALLERS: u64 = 8;
const VISITORS: u64 = 4;
const STALE_CALLS: u64 = 1_000_000;
/// Set to 5000 for a longer run.
const CLIENTS: &str = "WSGATE_CLIENTS";
/// Ids that threads choose from.
const IDS: usize = 256;

#[derive(Default)]
struct World {
    closed: Ring,
    open: Ring,
    accepts: AtomicU64,
    closes: AtomicU64,
    callers: AtomicU64,
}

/// The latest ids. Without a lock, which would order the threads.
struct Ring {
    ids: [AtomicU64; IDS],
    count: AtomicUsize,
}

impl Default for Ring {
    fn default() -> Self {
        Self { ids: [const { AtomicU64::new(0) }; IDS], count: AtomicUsize::new(0) }
    }
}

impl Ring {
    fn push(&self, id: u64) {
        let at = self.count.fetch_add(1, Ordering::SeqCst);
        self.ids[at % IDS].store(id, Ordering::SeqCst);
    }

    fn choose(&self, random: &mut Random) -> ClientId {
        ClientId(self.ids[random.below(IDS as u64) as usize].load(Ordering::SeqCst))
    }
}

impl World {
    fn on_event(&self, server: &Handle, event: &Event<'_>) {
        match event.kind {
            Kind::Accept => {
                self.accepts.fetch_add(1, Ordering::SeqCst);
                self.open.push(event.client);
            }
            Kind::Message => drop(server.send_binary(ClientId(event.client), event.data)),
            Kind::Close => {
                self.closes.fetch_add(1, Ordering::SeqCst);
                self.closed.push(event.client);
            }
            _ => {}
        }
    }
}

fn server(world: &Arc<World>) -> (Server, GatewayId) {
    let (mut config, endpoint) = config(4);
    config.set_close_period(endpoint, 100).unwrap();
    config.set_outbox_limit(endpoint, 1 << 16, 200).unwrap();
    let gateway = config.new_gateway().unwrap();
    config.set_gateway(endpoint, gateway).unwrap();
    let world = Arc::clone(world);
    let delivery = Delivery::push(move |server: &Handle, event: &Event<'_>| world.on_event(server, event));
    (Server::start(config, delivery).unwrap(), gateway)
}

#[test]
fn a_million_stale_ids_amid_clients_that_come_and_go() {
    alone("churn::a_million_stale_ids_amid_clients_that_come_and_go", || {
        let clients: u64 = std::env::var(CLIENTS).map_or(600, |clients| clients.parse().unwrap());
        let world = Arc::default();
        let (server, gateway) = server(&world);
        world.callers.store(CALLERS, Ordering::SeqCst);
        std::thread::scope(|scope| {
            for number in 0..CALLERS {
                let (server, world) = (&server, &world);
                scope.spawn(move || call(server, world, gateway, Random::new(SEED, number)));
            }
            for number in 0..VISITORS {
                let (server, world) = (&server, &world);
                scope.spawn(move || visit(server, world, Random::new(SEED, 20 + number), clients / VISITORS));
            }
        });
        server.stop(Duration::ZERO).unwrap();
        server.join().unwrap();
        let (accepts, closes) = (world.accepts.load(Ordering::SeqCst), world.closes.load(Ordering::SeqCst));
        assert_eq!(accepts, closes);
        assert!(accepts >= clients / 2, "{accepts} clients of {clients} were accepted");
        assert_eq!(server.gateway_count(gateway).unwrap(), 0);
    });
}

fn call(server: &Server, world: &World, gateway: GatewayId, mut random: Random) {
    for n in 0..STALE_CALLS / CALLERS {
        let stale = world.closed.choose(&mut random);
        let result = match random.below(12) {
            0 => server.close(stale, 1000, b""),
            1 => server.ping(stale, n),
            2 => server.join_gateway(gateway, stale),
            3 => server.leave_gateway(gateway, stale),
            4 => server.set_user_data(stale, n),
            5 => server.send_text(stale, b"stale"),
            _ => server.send_binary(stale, b"stale"),
        };
        assert_eq!(result.map_err(|error| error.kind()), Err(ErrorKind::Closed), "{stale:?}");
        if n.is_multiple_of(16) {
            about_the_living(server, world, gateway, &mut random, n);
        }
    }
    world.callers.fetch_sub(1, Ordering::SeqCst);
}

fn about_the_living(server: &Server, world: &World, gateway: GatewayId, random: &mut Random, n: u64) {
    let id = world.open.choose(random);
    let may_be_refused = |result: Result<()>| {
        if let Err(error) = result {
            assert!(matches!(error.kind(), ErrorKind::Closed | ErrorKind::Full), "{error}");
        }
    };
    may_be_refused(match random.below(64) {
        0 => server.close(id, 4000, b"enough"),
        1 => server.broadcast_binary(gateway, &[1; 100], &[id]),
        2 => server.broadcast_with_outcome(gateway, true, &[1; 100], &[], n),
        3..6 => server.multicast_with_outcome(gateway, true, b"some", &[id, ClientId(n)], n),
        6..12 => server.multicast_binary(gateway, b"some", &[id, world.closed.choose(random)]),
        12..16 => server.leave_gateway(gateway, id),
        16..20 => server.join_gateway(gateway, id),
        20..24 => server.ping(id, n),
        24..28 => server.gateway_clients(gateway).map(|_| ()),
        _ => server.send_binary(id, b"one"),
    });
}

/// Comes and goes, in one of several ways; for as often as was asked, and while there are callers.
fn visit(server: &Server, world: &World, mut random: Random, clients: u64) {
    for n in 0.. {
        if n >= clients && world.callers.load(Ordering::SeqCst) == 0 {
            return;
        }
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", server.port(0).unwrap())) else { return };
        let mut bytes = [HANDSHAKE, &frame(BINARY, b"hello")].concat();
        match random.below(4) {
            0 => bytes.extend(close(1000)),
            1 => bytes.extend([0xFF, 0xFF]),
            2 => bytes.truncate(random.below(bytes.len() as u64) as usize),
            _ => {}
        }
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // The server may have cut it already; else it stays until it is answered, if it said enough for that.
        let _ = stream.write_all(&bytes);
        if bytes.len() >= HANDSHAKE.len() {
            let _ = stream.read(&mut [0; 64]);
        }
        std::thread::sleep(Duration::from_millis(random.below(8)));
    }
}

#[test]
fn an_abrupt_end_is_prompt_and_complete_whatever_goes_on() {
    alone("churn::an_abrupt_end_is_prompt_and_complete_whatever_goes_on", || {
        for round in 0..8 {
            let mut random = Random::new(SEED, 100 + round);
            let world: Arc<World> = Arc::default();
            let (server, gateway) = server(&world);
            let over = AtomicBool::new(false);
            let port = server.port(0).unwrap();
            std::thread::scope(|scope| {
                let over = &over;
                for number in 0..3 {
                    let mut random = Random::new(SEED, 1000 + 10 * round + number);
                    scope.spawn(move || {
                        let mut streams = Vec::new();
                        while !over.load(Ordering::SeqCst) && streams.len() < 60 {
                            let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { break };
                            let said = random.below(HANDSHAKE.len() as u64 + 40) as usize;
                            let bytes = [HANDSHAKE, &frame(BINARY, b"hello")].concat();
                            let _ = stream.write_all(&bytes[..said.min(bytes.len())]);
                            streams.push(stream);
                        }
                        while !over.load(Ordering::SeqCst) {
                            std::thread::sleep(Duration::from_millis(1));
                        }
                    });
                }
                let until = Instant::now() + Duration::from_millis(random.below(40));
                for n in 0.. {
                    about_the_living(&server, &world, gateway, &mut random, n);
                    if Instant::now() > until {
                        break;
                    }
                }
                match round % 4 {
                    0 => server.drain(Duration::from_secs(3600), Duration::from_secs(3600)).unwrap(),
                    1 => server.stop(Duration::from_secs(3600)).unwrap(),
                    _ => {}
                }
                let began = Instant::now();
                drop(server);
                let took = began.elapsed();
                over.store(true, Ordering::SeqCst);
                assert!(took < Duration::from_secs(5), "round {round}: the end took {took:?}");
            });
            let counts = (world.accepts.load(Ordering::SeqCst), world.closes.load(Ordering::SeqCst));
            assert_eq!(counts.0, counts.1, "round {round}: clients accepted and closed");
        }
    });
}
