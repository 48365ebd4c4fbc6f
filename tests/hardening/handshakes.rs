//! A thousand handshakes wait at once, and several threads decide on them in random order while peers leave and
//! time runs out: each ends once, and nothing is left of any.

use std::collections::HashMap;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wsgate::{ClientId, ErrorKind, Kind, Server, Taken};

use super::peer::HANDSHAKE;
use super::random::Random;
use super::served::{PATIENCE, config, end, pull};

const PEERS: usize = 1000;
const DECIDERS: usize = 4;

/// What came of a handshake: by the answers to the decisions, and by the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fate {
    accepted: u32,
    rejected: u32,
    gone: u32,
    accepts: u32,
    closes: u32,
}

#[test]
fn each_of_a_thousand_handshakes_ends_once() {
    let (mut config, endpoint) = config(2);
    config.set_acceptor(endpoint, true).unwrap();
    config.set_handshake_timeout(endpoint, 2_000).unwrap();
    config.set_close_period(endpoint, 200).unwrap();
    let (server, queue) = pull(config, 1 << 24);
    let port = server.port(0).unwrap();
    let knock = |_| {
        let mut peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
        peer.write_all(HANDSHAKE).unwrap();
        peer
    };
    let mut peers: Vec<TcpStream> = (0..PEERS).map(knock).collect();

    let fates: Mutex<HashMap<u64, Fate>> = Mutex::default();
    let mut waiting = Vec::new();
    let mut taken = Taken::new();
    let deadline = Instant::now() + PATIENCE;
    while waiting.len() < PEERS {
        assert!(Instant::now() < deadline, "{} of {PEERS} came", waiting.len());
        queue.take(&mut taken, 0, Some(Duration::from_millis(100))).unwrap();
        let handshakes = taken.records().iter().filter(|event| event.kind == Kind::Handshake as u32);
        waiting.extend(handshakes.map(|event| event.client));
    }
    let info = server.info().unwrap();
    assert_eq!((info.waiting, info.connections, info.clients), (PEERS as u64, PEERS as u64, 0));
    fates.lock().unwrap().extend(waiting.iter().map(|id| (*id, Fate::default())));

    let mut random = Random::new(7, 0);
    for at in (1..waiting.len()).rev() {
        waiting.swap(at, random.below(at as u64 + 1) as usize);
    }
    let next = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..DECIDERS {
            let (fates, waiting, next) = (&fates, &waiting, Arc::clone(&next));
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(id) = waiting.get(at).copied() else { return };
                    let decided = match at % 8 {
                        0 => continue, // until its time is over
                        1 | 2 => server.reject(ClientId(id), 401, &[], b"no").map(|()| false),
                        _ => server.accept(ClientId(id), None, &[], id).map(|()| true),
                    };
                    let mut fates = fates.lock().unwrap();
                    let fate = fates.get_mut(&id).unwrap();
                    match decided {
                        Ok(true) => {
                            fate.accepted += 1;
                            drop(fates);
                            // It may be gone again, but until it is told so, it takes messages.
                            let sent = server.send_text(ClientId(id), b"hi");
                            assert!(sent.is_ok() || sent.unwrap_err().kind() == ErrorKind::Closed);
                            let again = server.accept(ClientId(id), None, &[], 0).unwrap_err();
                            assert_eq!(again.kind(), ErrorKind::Closed);
                        }
                        Ok(false) => fate.rejected += 1,
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Closed, "{error}"),
                    }
                }
            });
        }
        // Every third peer leaves, whatever it was told by then.
        scope.spawn(|| {
            for at in (0..PEERS).rev().filter(|at| at % 3 == 0) {
                drop(peers.swap_remove(at));
            }
        });
        let mut open = PEERS;
        while open > 0 {
            assert!(Instant::now() < deadline, "{open} of {PEERS} have not ended");
            queue.take(&mut taken, 0, Some(Duration::from_millis(20))).unwrap();
            let mut fates = fates.lock().unwrap();
            tally(server, &taken, &mut fates);
            let is_over = |fate: &&Fate| fate.gone + fate.rejected + fate.closes > 0;
            open = PEERS - fates.values().filter(is_over).count();
        }
    });
    drop(peers);
    while server.info().unwrap().connections > 0 {
        assert!(Instant::now() < deadline, "{:?}", server.info());
        queue.take(&mut taken, 0, Some(Duration::from_millis(10))).unwrap();
        tally(server, &taken, &mut fates.lock().unwrap());
    }
    for (id, fate) in fates.lock().unwrap().iter() {
        let once = [
            Fate { accepted: 1, accepts: 1, closes: 1, ..Fate::default() },
            Fate { rejected: 1, ..Fate::default() },
            Fate { gone: 1, ..Fate::default() },
        ];
        assert!(once.contains(fate), "{id}: {fate:?}");
    }
    let info = server.info().unwrap();
    assert_eq!((info.waiting, info.clients), (0, 0));
    assert_eq!(info.accepted + info.rejected + info.handshake_timeouts + info.handshakes_left, PEERS as u64);
    end(server, Duration::ZERO);
}

/// Counts the events, and closes whoever is accepted.
fn tally(server: &Server, taken: &Taken, fates: &mut HashMap<u64, Fate>) {
    for event in taken.records() {
        let Some(fate) = fates.get_mut(&event.client) else { continue };
        if event.kind == Kind::HandshakeGone as u32 {
            fate.gone += 1;
        } else if event.kind == Kind::Accept as u32 {
            assert_eq!(event.user_data, event.client);
            fate.accepts += 1;
            let _ = server.close(ClientId(event.client), 1000, b"");
        } else if event.kind == Kind::Close as u32 {
            fate.closes += 1;
        }
    }
}
