//! Outcomes while members join, leave, stall and die: each call that asks completes once, before STOPPED, and
//! what it tells adds up.

use std::collections::{HashMap, HashSet};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wsgate::{ClientId, ErrorKind, Event, GatewayId, Handle, Kind, Record, Server, Taken};

use super::peer::{CLOSE, Peer};
use super::process::alone;
use super::random::Random;
use super::served::{PATIENCE, config, end, pull, push};

const SEED: u64 = 5;
/// Set to a million for a longer run.
const CALLS: &str = "WSGATE_OUTCOMES";
const CALLERS: u64 = 3;
/// Members who stay, and read everything.
const STEADY: usize = 6;
const COMING_AND_GOING: u64 = 4;
/// So many are gone before the first call, so that some who are chosen are gone for certain.
const GONE: usize = 20;

#[test]
fn each_call_completes_once_and_adds_up_in_push() {
    alone("outcomes::each_call_completes_once_and_adds_up_in_push", || {
        let (config, world) = world();
        let application = Arc::clone(&world);
        let server = push(config, move |server: &Handle, event: &Event<'_>| {
            application.on_event(
                server,
                event.kind as u32,
                event.client,
                event.flags,
                event.value,
                event.data,
            );
        });
        let received = run(server, &world);
        world.assert_complete(received);
    });
}

#[test]
fn each_call_completes_once_and_adds_up_in_pull() {
    alone("outcomes::each_call_completes_once_and_adds_up_in_pull", || {
        let (config, world) = world();
        let (server, queue) = pull(config, 1 << 18);
        let application = {
            let world = Arc::clone(&world);
            std::thread::spawn(move || {
                let mut taken = Taken::new();
                while queue.take(&mut taken, 0, None).is_ok() {
                    for record in taken.records() {
                        let Record { kind, client, flags, value, .. } = *record;
                        world.on_event(server, kind, client, flags, value, taken.data(record));
                    }
                }
            })
        };
        let received = run(server, &world);
        // The server has ended; what it told last may wait to be taken.
        application.join().unwrap();
        world.assert_complete(received);
    });
}

/// What was asked, until it is told: of a multicast, whom it was for.
type Asked = HashMap<u64, Option<HashSet<u64>>>;

struct World {
    gateway: GatewayId,
    asked: Mutex<Asked>,
    /// Clients to choose from, those who are gone too; the first ones are steady.
    clients: Mutex<Vec<ClientId>>,
    calls: AtomicU64,
    told: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
    stopped: AtomicBool,
    over: AtomicBool,
}

fn world() -> (wsgate::Config, Arc<World>) {
    let (mut config, endpoint) = config(3);
    // Whoever does not read is soon too slow.
    config.set_outbox_limit(endpoint, 1 << 20, 20_000).unwrap();
    config.set_close_period(endpoint, 200).unwrap();
    // The steady ones count what they read, and answer no ping.
    config.set_heartbeat(endpoint, 0, 1).unwrap();
    let gateway = config.new_gateway().unwrap();
    config.set_gateway(endpoint, gateway).unwrap();
    let world = Arc::new(World {
        gateway,
        asked: Mutex::default(),
        clients: Mutex::default(),
        calls: AtomicU64::new(0),
        told: AtomicU64::new(0),
        delivered: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
        over: AtomicBool::new(false),
    });
    // A panic on an engine's thread fails the test as well.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        hook(panic);
        std::process::exit(1);
    }));
    (config, world)
}

/// How many messages the steady ones received.
fn run(server: &'static Server, world: &World) -> u64 {
    let calls: u64 = std::env::var(CALLS).map_or(20_000, |calls| calls.parse().unwrap());
    let mut steady: Vec<Peer> = (0..STEADY).map(|_| Peer::connect(server)).collect();
    world.await_clients(STEADY);
    for _ in 0..GONE {
        leave(&mut Peer::connect(server));
    }
    world.await_clients(STEADY + GONE);
    std::thread::scope(|scope| {
        let readers: Vec<_> = steady.iter_mut().map(|peer| scope.spawn(|| read_all(peer))).collect();
        for number in 0..COMING_AND_GOING {
            scope.spawn(move || come_and_go(server, world, Random::new(SEED, 50 + number)));
        }
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                scope.spawn(move || call(server, world, Random::new(SEED, number), number, calls / CALLERS))
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        world.over.store(true, Ordering::SeqCst);
        // Some are not complete yet.
        end(server, Duration::from_secs(10));
        readers.into_iter().map(|reader| reader.join().unwrap()).sum()
    })
}

/// Asks again and again, for everybody or for some.
fn call(server: &Server, world: &World, mut random: Random, caller: u64, calls: u64) {
    let message = [caller as u8; 200];
    for n in 0..calls {
        let ticket = caller << 32 | n;
        let chosen: Vec<ClientId> = {
            let clients = world.clients.lock().unwrap();
            let (count, all) = (random.below(6), clients.len() as u64);
            // The newest ones, mostly, some of which are gone; and now and then the steady ones.
            let mut choose = || match random.below(3) {
                0 => clients[random.below(STEADY as u64) as usize],
                _ => clients[(all - 1 - random.below(all.min(30))) as usize],
            };
            (0..count).map(|_| choose()).collect()
        };
        let multicasts = random.below(3) > 0;
        let whom = multicasts.then(|| chosen.iter().map(|client| client.0).collect());
        loop {
            // It may be told before the call returns.
            world.asked.lock().unwrap().insert(ticket, whom.clone());
            let result = match multicasts {
                true => server.multicast_with_outcome(world.gateway, true, &message, &chosen, ticket),
                false => server.broadcast_with_outcome(world.gateway, true, &message, &chosen, ticket),
            };
            match result {
                Ok(()) => break,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
                    assert!(world.asked.lock().unwrap().remove(&ticket).is_some(), "refused, and told");
                    std::thread::yield_now();
                }
            }
        }
        world.calls.fetch_add(1, Ordering::SeqCst);
    }
}

impl World {
    fn on_event(&self, server: &Handle, kind: u32, client: u64, flags: u32, ticket: u64, data: &[u8]) {
        assert!(!self.stopped.load(Ordering::SeqCst), "kind {kind} came after STOPPED");
        if kind == Kind::Accept as u32 {
            let mut clients = self.clients.lock().unwrap();
            clients.push(ClientId(client));
            // Joins and leaves beside those that come with coming and going.
            if clients.len() > STEADY && clients.len().is_multiple_of(3) {
                let _ = server.leave_gateway(self.gateway, ClientId(client));
                let _ = server.join_gateway(self.gateway, ClientId(client));
            }
        } else if kind == Kind::Outcome as u32 {
            self.tell(flags, ticket, data);
        } else if kind == Kind::Stopped as u32 {
            self.stopped.store(true, Ordering::SeqCst);
        }
    }

    fn tell(&self, flags: u32, ticket: u64, data: &[u8]) {
        let whom = self.asked.lock().unwrap().remove(&ticket);
        let whom = whom.unwrap_or_else(|| panic!("ticket {ticket} was told twice, or never asked"));
        let words: Vec<u64> =
            data.chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap())).collect();
        let ([gateway, delivered, failed], ids) = words.split_first_chunk().unwrap();
        assert_eq!((*gateway, flags), (self.gateway.0, 0));
        let distinct: HashSet<u64> = ids.iter().copied().collect();
        assert_eq!((distinct.len(), ids.len() as u64), (ids.len(), *failed), "ids that are there twice");
        if let Some(whom) = whom {
            assert_eq!(delivered + failed, whom.len() as u64, "{whom:?}: failed {ids:?}");
            assert!(distinct.is_subset(&whom), "{ids:?} failed, {whom:?} were chosen");
        }
        let is_steady = |id: &u64| self.clients.lock().unwrap()[..STEADY].contains(&ClientId(*id));
        let steady = ids.iter().find(|id| is_steady(id));
        assert!(steady.is_none() || self.over.load(Ordering::SeqCst), "{steady:?} reads everything");
        self.delivered.fetch_add(*delivered, Ordering::SeqCst);
        self.failed.fetch_add(*failed, Ordering::SeqCst);
        self.told.fetch_add(1, Ordering::SeqCst);
    }

    fn await_clients(&self, count: usize) {
        let until = Instant::now() + PATIENCE;
        loop {
            let came = self.clients.lock().unwrap().len();
            if came >= count {
                return;
            }
            assert!(Instant::now() < until, "{came} clients came, {count} were to");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Once all that was told has been seen.
    fn assert_complete(&self, received: u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        let (calls, told, delivered) = (count(&self.calls), count(&self.told), count(&self.delivered));
        let missing: Vec<String> =
            self.asked.lock().unwrap().keys().take(20).map(|ticket| format!("{ticket:#x}")).collect();
        let figures = format!(
            "{calls} calls, {told} told, {delivered} delivered, {} failed, {received} received, {} clients, the first \
             tickets that never completed: {missing:?}",
            count(&self.failed),
            self.clients.lock().unwrap().len()
        );
        assert!(self.stopped.load(Ordering::SeqCst), "STOPPED has not come: {figures}");
        assert!(missing.is_empty() && told == calls, "{figures}");
        assert!(received <= delivered, "more than was told of: {figures}");
        assert!(count(&self.failed) > 0, "nothing ever failed, too tame a test: {figures}");
    }
}

fn read_all(peer: &mut Peer) -> u64 {
    for received in 0.. {
        let (opcode, data) = peer.receive().unwrap();
        if opcode == CLOSE {
            let _ = peer.write(&super::peer::frame(CLOSE, &data));
            return received;
        }
    }
    0
}

/// Comes, and reads, stalls, dies or closes.
fn come_and_go(server: &Server, world: &World, mut random: Random) {
    while !world.over.load(Ordering::SeqCst) {
        let mut peer = match Peer::try_connect(server, &[]) {
            Ok(peer) => peer,
            // The server stopped meanwhile.
            Err(_) if world.over.load(Ordering::SeqCst) => return,
            Err(error) => panic!("{error}"),
        };
        match random.below(4) {
            // Reads for a while, and vanishes with what is on its way.
            0 => (0..random.below(200)).for_each(|_| drop(peer.receive())),
            // Does not read, until it is cut.
            1 => {
                let slow = Instant::now();
                while !world.over.load(Ordering::SeqCst) && slow.elapsed() < Duration::from_millis(100) {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            2 => leave(&mut peer),
            _ => drop(peer.stream.shutdown(Shutdown::Both)),
        }
    }
}

fn leave(peer: &mut Peer) {
    // The server may have cut it already.
    let _ = peer.write(&super::peer::close(1000));
    peer.read_to_end();
}
