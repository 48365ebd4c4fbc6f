//! Random operations from everywhere at once, on clients that come and go as they please: what a client
//! gets is whole, its own, and in the order of the calls.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wsgate::{ClientId, ErrorKind, Event, GatewayId, Handle, Kind, Server, Taken};

use super::peer::{BINARY, CLOSE, CONTINUATION, PING, PONG, Peer, close, fragment, frame};
use super::process::alone;
use super::random::Random;
use super::served::{config, end, pull, push};

const SEED: u64 = 20_240_229;
const LASTS: Duration = Duration::from_secs(8);
const PEERS: u64 = 24;
/// Threads that are not the engine's, and call all the time.
const CALLERS: u64 = 2;
const LARGE: usize = 70_000;

#[test]
fn random_operations_in_push_lose_mix_and_reorder_nothing() {
    alone("stress::random_operations_in_push_lose_mix_and_reorder_nothing", || {
        let (config, world) = world();
        let application = Arc::clone(&world);
        let server = push(config, move |server: &Handle, event: &Event<'_>| {
            application.on_event(server, event.kind as u32, event.client, event.data);
        });
        run(server, &world);
        world.assert_faultless(server);
    });
}

#[test]
fn random_operations_in_pull_lose_mix_and_reorder_nothing() {
    alone("stress::random_operations_in_pull_lose_mix_and_reorder_nothing", || {
        let (config, world) = world();
        let (server, queue) = pull(config, 1 << 18);
        let application = {
            let world = Arc::clone(&world);
            std::thread::spawn(move || {
                let mut taken = Taken::new();
                let mut sizes = Random::new(SEED, 0);
                while queue.take(&mut taken, sizes.below(50) as usize, None).is_ok() {
                    for record in taken.records() {
                        world.on_event(server, record.kind, record.client, taken.data(record));
                    }
                }
            })
        };
        run(server, &world);
        // A panic there is among the faults.
        let _ = application.join();
        world.assert_faultless(server);
    });
}

/// What all threads know.
struct World {
    gateways: Vec<GatewayId>,
    /// Clients to choose from; many of them are gone.
    recent: Mutex<VecDeque<ClientId>>,
    accepts: AtomicU64,
    closes: AtomicU64,
    /// Messages that peers have received.
    received: AtomicU64,
    faults: Mutex<Vec<String>>,
}

fn world() -> (wsgate::Config, Arc<World>) {
    let (mut config, endpoint) = config(4);
    config.set_outbox_limit(endpoint, 300_000, 500).unwrap();
    config.set_close_period(endpoint, 300).unwrap();
    let gateways: Vec<_> = (0..3).map(|_| config.new_gateway().unwrap()).collect();
    config.set_gateway(endpoint, gateways[0]).unwrap();
    let world = Arc::new(World {
        gateways,
        recent: Mutex::default(),
        accepts: AtomicU64::new(0),
        closes: AtomicU64::new(0),
        received: AtomicU64::new(0),
        faults: Mutex::default(),
    });
    // A panic on whatever thread, the engine's too, is a fault.
    let (hook, watching) = (std::panic::take_hook(), Arc::clone(&world));
    std::panic::set_hook(Box::new(move |panic| {
        watching.fault(panic.to_string());
        hook(panic);
    }));
    (config, world)
}

/// Peers and callers, until the time is over; then the end.
fn run(server: &'static Server, world: &World) {
    let until = Instant::now() + LASTS;
    std::thread::scope(|scope| {
        let peers = (0..PEERS)
            .map(|number| scope.spawn(move || live(server, world, Random::new(SEED, 100 + number), until)));
        let callers = (0..CALLERS).map(|_| scope.spawn(|| call(server, world, until)));
        for thread in peers.chain(callers).collect::<Vec<_>>() {
            // A panic there is among the faults.
            let _ = thread.join();
        }
    });
    end(server, Duration::from_secs(2));
}

/// Calls the server from outside of its events.
fn call(server: &Server, world: &World, until: Instant) {
    while Instant::now() < until {
        let pause = ACTOR.with_borrow_mut(|actor| {
            actor.act(server, world, None);
            actor.random.below(800)
        });
        std::thread::sleep(Duration::from_micros(pause));
    }
}

impl World {
    fn fault(&self, what: String) {
        if let Ok(mut faults) = self.faults.lock() {
            faults.push(what);
        }
    }

    fn is_faultless(&self) -> bool {
        self.faults.lock().unwrap().is_empty()
    }

    fn on_event(&self, server: &Handle, kind: u32, client: u64, data: &[u8]) {
        let client = ClientId(client);
        if kind == Kind::Accept as u32 {
            self.accepts.fetch_add(1, Ordering::SeqCst);
            let mut recent = self.recent.lock().unwrap();
            recent.push_back(client);
            if recent.len() > 60 {
                recent.pop_front();
            }
        } else if kind == Kind::Close as u32 {
            self.closes.fetch_add(1, Ordering::SeqCst);
        } else if kind == Kind::Message as u32 && !is_known(data) {
            self.fault(format!("a message of {} bytes that no peer sent: {:?}", data.len(), data.get(..20)));
        }
        if client != ClientId(0) {
            ACTOR.with_borrow_mut(|actor| actor.act(server, self, Some(client)));
        }
    }

    fn assert_faultless(&self, server: &Server) {
        // Not kept locked: what fails below is noted as a fault, too.
        let faults = std::mem::take(&mut *self.faults.lock().unwrap());
        assert!(faults.is_empty(), "seed {SEED}: {} faults, the first: {:#?}", faults.len(), &faults[..1]);
        let (accepts, closes) = (self.accepts.load(Ordering::SeqCst), self.closes.load(Ordering::SeqCst));
        assert_eq!(accepts, closes, "seed {SEED}: clients accepted and closed");
        for gateway in &self.gateways {
            assert_eq!(server.gateway_count(*gateway).unwrap(), 0, "seed {SEED}: members that are gone");
        }
        let received = self.received.load(Ordering::SeqCst);
        assert!(accepts > PEERS && received > 1000, "too little: {accepts} clients got {received} messages");
    }
}

thread_local! {
    static ACTOR: RefCell<Actor> = RefCell::new(Actor::new());
}

/// A thread that calls the server: its messages are numbered, and come in that order.
struct Actor {
    source: u32,
    random: Random,
    number: u64,
}

impl Actor {
    fn new() -> Self {
        static SOURCES: AtomicU32 = AtomicU32::new(1);
        let source = SOURCES.fetch_add(1, Ordering::SeqCst);
        Self { source, random: Random::new(SEED, source.into()), number: 0 }
    }

    /// A few calls, about anybody: `own`, the client whose event is dealt with, more often.
    fn act(&mut self, server: &Handle, world: &World, own: Option<ClientId>) {
        for _ in 0..self.random.below(4) {
            let Some(client) = self.choose(world, own) else { return };
            let gateway = world.gateways[self.random.below(world.gateways.len() as u64) as usize];
            let called = match self.random.below(40) {
                0 => server.close(client, 4000, b"why"),
                1..4 => server.ping(client, 7),
                4..8 => server.join_gateway(gateway, client),
                8..12 => server.leave_gateway(gateway, client),
                12..16 => server.broadcast_binary(gateway, &self.message(To::AllBut(client)), &[client]),
                16 => server.set_user_data(client, 5),
                _ => server.send_binary(client, &self.message(To::One(client))),
            };
            // Clients go and outboxes fill at any time; nothing else may be refused.
            if let Err(error) = called
                && !matches!(error.kind(), ErrorKind::Closed | ErrorKind::Full)
            {
                world.fault(error.to_string());
            }
        }
    }

    fn choose(&mut self, world: &World, own: Option<ClientId>) -> Option<ClientId> {
        if own.is_some() && self.random.below(3) == 0 {
            return own;
        }
        let recent = world.recent.lock().unwrap();
        if recent.is_empty() {
            return own;
        }
        recent.get(self.random.below(recent.len() as u64) as usize).copied()
    }

    fn message(&mut self, to: To) -> Vec<u8> {
        self.number += 1;
        let filling = match self.random.below(100) {
            0 => 100_000,
            1..5 => 5_000,
            5..20 => 300,
            _ => 0,
        };
        Stamp { source: self.source, number: self.number, to }.to_message(filling)
    }
}

#[derive(Clone, Copy, Debug)]
enum To {
    One(ClientId),
    AllBut(ClientId),
}

/// What a message says about itself; the filling behind it is made of it.
#[derive(Debug)]
struct Stamp {
    source: u32,
    number: u64,
    to: To,
}

impl Stamp {
    const LENGTH: usize = 4 + 8 + 1 + 8;

    fn to_message(&self, filling: usize) -> Vec<u8> {
        let (all, client) = match self.to {
            To::One(client) => (0, client),
            To::AllBut(client) => (1, client),
        };
        let mut message = Vec::with_capacity(Self::LENGTH + filling);
        message.extend(self.source.to_be_bytes());
        message.extend(self.number.to_be_bytes());
        message.push(all);
        message.extend(client.0.to_be_bytes());
        message.resize(Self::LENGTH + filling, self.filling());
        message
    }

    fn of_message(message: &[u8]) -> Option<Self> {
        let (source, rest) = message.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (all, rest) = rest.split_first()?;
        let (client, filling) = rest.split_first_chunk()?;
        let client = ClientId(u64::from_be_bytes(*client));
        let stamp = Self {
            source: u32::from_be_bytes(*source),
            number: u64::from_be_bytes(*number),
            to: if *all == 0 { To::One(client) } else { To::AllBut(client) },
        };
        filling.iter().all(|byte| *byte == stamp.filling()).then_some(stamp)
    }

    fn filling(&self) -> u8 {
        self.source as u8 ^ self.number as u8
    }
}

/// What one client must get.
#[derive(Default)]
struct Expectation {
    /// Of each source, the latest message.
    latest: HashMap<u32, u64>,
    /// This client, once a message has told.
    own: Option<ClientId>,
}

impl Expectation {
    fn check(&mut self, message: &[u8]) -> Result<(), String> {
        let stamp = Stamp::of_message(message).ok_or("a message with bytes of another")?;
        let before = self.latest.insert(stamp.source, stamp.number).unwrap_or(0);
        if stamp.number <= before {
            return Err(format!("{stamp:?} came after number {before}"));
        }
        match (stamp.to, self.own) {
            (To::One(client), Some(own)) if client != own => Err(format!("{stamp:?} came to {own:?}")),
            (To::AllBut(client), Some(own)) if client == own => Err(format!("{stamp:?} came to {own:?}")),
            (To::One(client), _) => {
                self.own = Some(client);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Connects, talks and leaves, again and again.
fn live(server: &Server, world: &World, mut random: Random, until: Instant) {
    while Instant::now() < until && world.is_faultless() {
        let early = if random.below(3) == 0 { frame(BINARY, b"early") } else { Vec::new() };
        let mut peer = Peer::connect_early(server, &early);
        match talk(&mut peer, world, &mut random) {
            Ok(Left::Open) => leave(&mut peer, &mut random),
            Ok(Left::Closed) => {}
            Err(fault) => world.fault(fault),
        }
    }
}

enum Left {
    Open,
    Closed,
}

fn talk(peer: &mut Peer, world: &World, random: &mut Random) -> Result<Left, String> {
    let mut expectation = Expectation::default();
    let is_slow = random.below(6) == 0;
    for _ in 0..random.below(400) {
        let frames: Vec<u8> = (0..random.below(6)).flat_map(|_| something_to_say(random)).collect();
        if peer.write(&frames).is_err() {
            return Ok(Left::Closed);
        }
        while peer.has_more() {
            let Ok((opcode, data)) = peer.receive() else { return Ok(Left::Closed) };
            match opcode {
                BINARY => {
                    world.received.fetch_add(1, Ordering::SeqCst);
                    expectation.check(&data)?;
                }
                // Both may be too late.
                PING => drop(peer.write(&frame(PONG, &data))),
                CLOSE => {
                    let _ = peer.write(&frame(CLOSE, &data));
                    return Ok(Left::Closed);
                }
                PONG if data == b"ping" => {}
                _ => return Err(format!("a frame of opcode {opcode} with {} bytes", data.len())),
            }
            if is_slow {
                std::thread::sleep(Duration::from_millis(3));
                break;
            }
        }
    }
    Ok(Left::Open)
}

fn something_to_say(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0 => frame(PING, b"ping"),
        1 => [fragment(BINARY, b"frag"), frame(PING, b"ping"), frame(CONTINUATION, b"ment")].concat(),
        2 => frame(BINARY, &[1; LARGE]),
        _ => frame(BINARY, b"hello"),
    }
}

/// Whether a peer says such things.
fn is_known(message: &[u8]) -> bool {
    match message {
        b"early" | b"hello" | b"fragment" => true,
        large => large.len() == LARGE && large.iter().all(|byte| *byte == 1),
    }
}

/// In order, by a breach of the protocol, or without a word.
fn leave(peer: &mut Peer, random: &mut Random) {
    let parting = match random.below(3) {
        0 => return,
        1 => close(1000),
        _ => vec![0xFF, 0xFF],
    };
    if peer.write(&parting).is_ok() {
        peer.read_to_end();
    }
}
