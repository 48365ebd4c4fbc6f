//! One order: whatever a thread sends, by whatever call, reaches each client in the order of the calls; with
//! calls of every kind at random from four threads and from callbacks on four workers. A checker compares what
//! each client got with what each thread has noted.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wsgate::{ClientId, Error, Event, GatewayId, Handle, Kind};

use super::peer::{BINARY, CLOSE, Peer};
use super::process::alone;
use super::random::Random;
use super::served::{PATIENCE, config, end, push};

const SEED: u64 = 11;
/// Set to more for a longer run.
const ROUNDS: &str = "WSGATE_ORDER_ROUNDS";
const PEERS: usize = 12;
const CALLERS: usize = 4;
const WORKERS: usize = 4;
const CALLS: u32 = 1200;
/// How often a client asks for a callback, and how many calls that makes.
const ASKS: u32 = 60;
const CALLS_IN_CALLBACK: u64 = 6;
/// Clients that may be closed while the others go on.
const CLOSABLE: u64 = 4;
const END: &[u8] = b"the end";

#[test]
fn each_client_sees_each_threads_order() {
    alone("order::each_client_sees_each_threads_order", || {
        let rounds = std::env::var(ROUNDS).map_or(2, |rounds| rounds.parse().unwrap());
        for round in 0..rounds {
            play(SEED + round);
        }
    });
}

/// What a thread has done, in its order: its messages with the clients they were for, and its closes.
#[derive(Clone, Copy)]
enum Done {
    Sent { number: u32, to: u32 },
    Closed(usize),
}

struct World {
    gateway: GatewayId,
    clients: Vec<ClientId>,
    sources: Vec<Mutex<Source>>,
    /// A bit for each client that was closed.
    closed: AtomicU32,
    /// Callbacks that run, and of each client, those that have returned.
    running: AtomicU32,
    answered: [AtomicU32; PEERS],
}

struct Source {
    random: Random,
    number: u32,
    done: Vec<Done>,
}

thread_local! {
    static SOURCE: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Of this thread, given when it first asks.
fn source(sources: &AtomicUsize) -> usize {
    SOURCE.get().unwrap_or_else(|| {
        let number = sources.fetch_add(1, Ordering::SeqCst);
        SOURCE.set(Some(number));
        number
    })
}

fn play(seed: u64) {
    SOURCE.set(None);
    let (mut config, endpoint) = config(WORKERS as u64);
    config.set_outbox_limit(endpoint, 1 << 30, 32_767).unwrap();
    let gateway = config.new_gateway().unwrap();
    config.set_gateway(endpoint, gateway).unwrap();
    let (report, accepted) = channel();
    let world: Arc<Mutex<Option<Arc<World>>>> = Arc::default();
    let sources = Arc::new(AtomicUsize::new(0));
    let server = {
        let (world, sources) = (Arc::clone(&world), Arc::clone(&sources));
        push(config, move |server: &Handle, event: &Event<'_>| match event.kind {
            Kind::Accept => report.send(ClientId(event.client)).unwrap(),
            Kind::Message => {
                let world = Arc::clone(world.lock().unwrap().as_ref().unwrap());
                world.running.fetch_add(1, Ordering::SeqCst);
                for _ in 0..CALLS_IN_CALLBACK {
                    act(server, &world, source(&sources));
                }
                let client = world.clients.iter().position(|client| client.0 == event.client);
                world.answered[client.unwrap()].fetch_add(1, Ordering::SeqCst);
                world.running.fetch_sub(1, Ordering::SeqCst);
            }
            _ => {}
        })
    };
    let (mut peers, mut clients) = (Vec::new(), Vec::new());
    for _ in 0..PEERS {
        peers.push(Peer::connect(server));
        clients.push(accepted.recv_timeout(PATIENCE).unwrap());
    }
    let source_of =
        |number| Mutex::new(Source { random: Random::new(seed, number), number: 0, done: vec![] });
    let new = Arc::new(World {
        gateway,
        clients,
        sources: (0..(CALLERS + WORKERS) as u64).map(source_of).collect(),
        closed: AtomicU32::new(0),
        running: AtomicU32::new(0),
        answered: Default::default(),
    });
    *world.lock().unwrap() = Some(Arc::clone(&new));
    let world = &*new;
    let got: Vec<Got> = std::thread::scope(|scope| {
        let readers: Vec<_> = peers.iter_mut().map(|peer| scope.spawn(|| read(peer))).collect();
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                scope.spawn(|| {
                    let source = source(&sources);
                    (0..CALLS).for_each(|_| act(server, world, source));
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        come_to_rest(world);
        for client in &world.clients {
            // Those who were closed are gone.
            let _ = server.send_binary(*client, END);
        }
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    for (client, got) in got.iter().enumerate() {
        if let Err(fault) = check(world, client, got) {
            panic!("seed {seed}: client {client}: {fault}");
        }
    }
    assert_eq!(sources.load(Ordering::SeqCst), CALLERS + WORKERS, "every worker has called back");
    end(server, Duration::from_secs(5));
}

/// Whoever is not closed has asked and was answered for the last time, and no callback runs.
fn come_to_rest(world: &World) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let closed = world.closed.load(Ordering::SeqCst);
        let answered: Vec<u32> = world.answered.iter().map(|count| count.load(Ordering::SeqCst)).collect();
        let all = (0..PEERS).all(|client| closed & 1 << client != 0 || answered[client] == ASKS);
        if all && world.running.load(Ordering::SeqCst) == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "answered, but for the closed {closed:b}: {answered:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// One call of a random kind, noted when it is done.
fn act(server: &Handle, world: &World, source: usize) {
    let me = &mut *world.sources[source].lock().unwrap();
    me.number += 1;
    let number = me.number;
    let chosen = me.random.below(1 << PEERS) as u32;
    let one = me.random.below(PEERS as u64) as usize;
    let filling = if me.random.below(150) == 0 { 70_000 } else { me.random.below(40) as usize };
    let mut message = vec![source as u8; 8 + filling];
    message[..4].copy_from_slice(&(source as u32).to_be_bytes());
    message[4..8].copy_from_slice(&number.to_be_bytes());
    let ids = |mask: u32| -> Vec<ClientId> {
        (0..PEERS).filter(|client| mask & 1 << client != 0).map(|client| world.clients[client]).collect()
    };
    let all = (1u32 << PEERS) - 1;
    let gateway = world.gateway;
    let (to, result): (u32, Result<(), Error>) = match me.random.below(100) {
        0 if one < CLOSABLE as usize && me.random.below(8) == 0 => {
            if server.close(world.clients[one], 4000, b"").is_ok() {
                me.done.push(Done::Closed(one));
                world.closed.fetch_or(1 << one, Ordering::SeqCst);
            }
            return;
        }
        0..30 => (1 << one, server.send_binary(world.clients[one], &message)),
        30..50 => (chosen, server.multicast_binary(gateway, &message, &ids(chosen))),
        50..55 => (chosen, server.multicast_with_outcome(gateway, true, &message, &ids(chosen), 1)),
        55..65 => (1 << one, server.multicast_binary(gateway, &message, &ids(1 << one))),
        65..70 => (all, server.broadcast_with_outcome(gateway, true, &message, &[], 2)),
        70..85 => (all & !chosen, server.broadcast_binary(gateway, &message, &ids(chosen))),
        _ => (all, server.broadcast_binary(gateway, &message, &[])),
    };
    match result {
        Ok(()) => me.done.push(Done::Sent { number, to }),
        // A direct send to one that was closed.
        Err(_) => assert!(to.count_ones() == 1),
    }
}

/// What a client got, by source, and whether it was closed.
struct Got {
    numbers: HashMap<usize, Vec<u32>>,
    closed: bool,
}

fn read(peer: &mut Peer) -> Got {
    let mut got = Got { numbers: HashMap::new(), closed: false };
    let mut asks = 0;
    for n in 0u32.. {
        if n.is_multiple_of(20) && asks < ASKS {
            asks += 1;
            // It may have been closed.
            let _ = peer.write(&super::peer::frame(BINARY, b"call"));
        }
        let (opcode, data) = peer.receive().unwrap();
        if opcode == CLOSE {
            got.closed = true;
            break;
        }
        if data == END {
            break;
        }
        let word = |at: usize| u32::from_be_bytes(data[at..at + 4].try_into().unwrap());
        assert!(data[8..].iter().all(|byte| u32::from(*byte) == word(0)), "bytes of another message");
        got.numbers.entry(word(0) as usize).or_default().push(word(4));
    }
    got
}

fn check(world: &World, client: usize, got: &Got) -> Result<(), String> {
    for (number, source) in world.sources.iter().enumerate() {
        let done = &source.lock().unwrap().done;
        let closed = done.iter().position(|done| matches!(done, Done::Closed(one) if *one == client));
        let before = &done[..closed.unwrap_or(done.len())];
        let expected: Vec<u32> = before
            .iter()
            .filter_map(|done| match done {
                Done::Sent { number, to } if to & 1 << client != 0 => Some(*number),
                _ => None,
            })
            .collect();
        let numbers = got.numbers.get(&number).map_or(&[][..], Vec::as_slice);
        // What others sent may have come too late for one that was closed, but has no holes.
        let complete = !got.closed || closed.is_some();
        if !expected.starts_with(numbers) || (complete && numbers.len() != expected.len()) {
            let at = numbers.iter().zip(&expected).take_while(|(a, b)| a == b).count();
            return Err(format!(
                "of source {number} it got {} messages of {}; number {at} is {:?} and should be {:?}",
                numbers.len(),
                expected.len(),
                numbers.get(at),
                expected.get(at)
            ));
        }
    }
    Ok(())
}
