//! A stop ends everybody, whenever it comes, and each client's CLOSE comes before STOPPED.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wsgate::{Event, Handle, Kind, Server, Taken};

use super::peer::{BINARY, HANDSHAKE, close, frame};
use super::random::Random;
use super::served::{config, echo, end, pull, push};

const ROUNDS: u64 = 30;
const SEED: u64 = 4;
const FOR_EVER: Duration = Duration::from_millis(u64::MAX);

/// What the application was told.
#[derive(Default)]
struct Tally {
    accepts: AtomicU64,
    closes: AtomicU64,
    stopped: AtomicBool,
    late: Mutex<Vec<u32>>,
}

impl Tally {
    fn count(&self, kind: u32) {
        if self.stopped.load(Ordering::SeqCst) {
            self.late.lock().unwrap().push(kind);
        }
        if kind == Kind::Accept as u32 {
            self.accepts.fetch_add(1, Ordering::SeqCst);
        } else if kind == Kind::Close as u32 {
            self.closes.fetch_add(1, Ordering::SeqCst);
        } else if kind == Kind::Stopped as u32 {
            self.stopped.store(true, Ordering::SeqCst);
        }
    }

    fn assert_complete(&self, round: u64) {
        let told = (self.accepts.load(Ordering::SeqCst), self.stopped.load(Ordering::SeqCst));
        assert_eq!(told, (self.closes.load(Ordering::SeqCst), true), "closes and the end, in round {round}");
        assert_eq!(*self.late.lock().unwrap(), [], "came after STOPPED, in round {round}");
    }
}

#[test]
fn every_close_comes_before_stopped_in_push() {
    for round in 0..ROUNDS {
        let tally = Arc::new(Tally::default());
        let counting = Arc::clone(&tally);
        let server = push(patient_config(), move |server: &Handle, event: &Event<'_>| {
            counting.count(event.kind as u32);
            echo(server, event);
        });
        stop_amid_arrivals(server, Random::new(SEED, round));
        tally.assert_complete(round);
    }
}

#[test]
fn every_close_comes_before_stopped_in_pull() {
    for round in 0..ROUNDS {
        let tally = Tally::default();
        let (server, queue) = pull(patient_config(), 1 << 18);
        stop_amid_arrivals(server, Random::new(SEED, round));
        let mut taken = Taken::new();
        while queue.take(&mut taken, 0, Some(Duration::ZERO)).is_ok() {
            taken.records().iter().for_each(|record| tally.count(record.kind));
        }
        tally.assert_complete(round);
    }
}

/// Only the stop's grace can end a client that does not answer.
fn patient_config() -> wsgate::Config {
    let (mut config, endpoint) = config(4);
    config.set_close_period(endpoint, 3_600_000).unwrap();
    config
}

/// Clients come, stay, vanish and close; at some moment the server is stopped.
fn stop_amid_arrivals(server: &'static Server, mut random: Random) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let connectors: Vec<_> = (0..3)
            .map(|_| {
                let random = Random::new(random.below(u64::MAX), 0);
                scope.spawn(|| connect_many(server, &over, random))
            })
            .collect();
        // The moment of the stop is what varies.
        std::thread::sleep(Duration::from_millis(random.below(60)));
        let stopped = Instant::now();
        let grace = Duration::from_millis([0, 0, 100][random.below(3) as usize]);
        if random.below(4) == 0 {
            server.stop(FOR_EVER).unwrap();
            std::thread::sleep(Duration::from_millis(random.below(20)));
        }
        end(server, grace);
        over.store(true, Ordering::SeqCst);
        let took = stopped.elapsed();
        assert!(took < Duration::from_secs(10), "with a grace of {grace:?} it took {took:?}");
        for connector in connectors {
            drop(connector.join().unwrap());
        }
    });
}

/// Returns the connections that shall stay until the server has stopped.
fn connect_many(server: &Server, over: &AtomicBool, mut random: Random) -> Vec<TcpStream> {
    let mut staying = Vec::new();
    while !over.load(Ordering::SeqCst) && staying.len() < 40 {
        // Refused once the server stops.
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", server.port(0).unwrap())) else { break };
        let mut bytes = [HANDSHAKE, &frame(BINARY, b"question")].concat();
        if random.below(2) == 0 {
            bytes.extend(close(1000));
        }
        // The server may have cut it already.
        let _ = stream.write_all(&bytes);
        if random.below(2) == 0 {
            staying.push(stream);
        }
    }
    staying
}
