//! A peer that asks and closes in one breath gets its answer first.

use std::net::Shutdown;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wsgate::{ClientId, Kind, Taken};

use super::peer::{BINARY, CLOSE, Peer, close, frame};
use super::served::{config, echo, end, pull, push};

fn question_and_close() -> Vec<u8> {
    [frame(BINARY, b"question"), close(1000)].concat()
}

#[test]
fn an_answer_in_pull_goes_out_before_our_close_frame() {
    const PEERS: usize = 4;
    const CONNECTIONS: usize = 400;
    let (server, queue) = pull(config(2).0, 1 << 20);
    let refused = AtomicU64::new(0);
    let unanswered: usize = std::thread::scope(|scope| {
        let application = scope.spawn(|| {
            let mut taken = Taken::new();
            while queue.take(&mut taken, 0, None).is_ok() {
                for record in taken.records().iter().filter(|record| record.kind == Kind::Message as u32) {
                    if server.send_binary(ClientId(record.client), taken.data(record)).is_err() {
                        refused.fetch_add(1, Ordering::SeqCst);
                    }
                }
            }
        });
        let ask = || {
            let mut peer = Peer::connect(server);
            peer.write(&question_and_close()).unwrap();
            !matches!(peer.receive(), Ok((BINARY, _)))
        };
        let peers: Vec<_> =
            (0..PEERS).map(|_| scope.spawn(move || (0..CONNECTIONS).filter(|_| ask()).count())).collect();
        let unanswered = peers.into_iter().map(|peer| peer.join().unwrap()).sum();
        end(server, Duration::ZERO);
        application.join().unwrap();
        unanswered
    });
    assert_eq!(
        (unanswered, refused.into_inner()),
        (0, 0),
        "unanswered and refused, of {}",
        PEERS * CONNECTIONS
    );
}

#[test]
fn a_client_whose_messages_nobody_takes_ends_after_a_close_period_longer_than_the_timers_ring() {
    // The worker's ring of timers covers 12.8 s.
    const CLOSE_PERIOD: Duration = Duration::from_secs(14);
    let (mut config, endpoint) = config(1);
    config.set_close_period(endpoint, CLOSE_PERIOD.as_millis() as u64).unwrap();
    let (server, _queue) = pull(config, 1 << 20);
    let mut peer = Peer::connect(server);
    let asked = Instant::now();
    peer.write(&question_and_close()).unwrap();
    let got = peer.receive();
    let waited = asked.elapsed();
    assert!(matches!(got, Ok((CLOSE, _))), "{got:?} after {waited:?}");
    assert!(waited >= CLOSE_PERIOD, "the application had only {waited:?} for its answer");
    end(server, Duration::ZERO);
}

#[test]
fn a_peer_that_shuts_its_side_down_behind_its_close_frame_gets_its_answer() {
    const CONNECTIONS: usize = 50;
    let server = push(config(1).0, echo);
    let unanswered = (0..CONNECTIONS).filter(|_| {
        let mut peer = Peer::connect(server);
        peer.write(&question_and_close()).unwrap();
        peer.stream.shutdown(Shutdown::Write).unwrap();
        !matches!(peer.receive(), Ok((BINARY, _)))
    });
    assert_eq!(unanswered.count(), 0, "of {CONNECTIONS}");
    end(server, Duration::ZERO);
}
