//! Full queues and full outboxes hold up those who filled them, for as long as they are full.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use wsgate::{ClientId, Event, Handle, Kind, Taken};

use super::peer::{BINARY, Peer, frame};
use super::served::{PATIENCE, config, end, pull, push};

#[test]
fn a_worker_that_a_full_queue_held_back_reads_on_when_there_is_room() {
    const BURST: usize = 8;
    const LASTS: Duration = Duration::from_secs(4);
    let (server, queue) = pull(config(1).0, 1 << 16);
    let (report, taken) = channel();
    let application = std::thread::spawn(move || {
        let mut taken = Taken::new();
        while queue.take(&mut taken, 0, None).is_ok() {
            for _ in taken.records().iter().filter(|record| record.kind == Kind::Message as u32) {
                report.send(()).unwrap();
            }
        }
    });
    // A burst fills the queue and leaves bytes in the socket, and nothing more comes that could wake
    // the worker by chance.
    let mut peer = Peer::connect(server);
    let burst = frame(BINARY, &[7; 100_000]).repeat(BURST);
    let start = Instant::now();
    let mut bursts = 0;
    while start.elapsed() < LASTS {
        peer.write(&burst).unwrap();
        for n in 0..BURST {
            let came = taken.recv_timeout(PATIENCE);
            assert!(came.is_ok(), "message {n} of burst {bursts} is stuck");
        }
        bursts += 1;
    }
    end(server, Duration::ZERO);
    application.join().unwrap();
}

#[test]
fn a_client_that_is_refilled_at_each_drain_starves_neither_the_others_nor_the_stop() {
    const LASTS: Duration = Duration::from_secs(3);
    static DRAINS: AtomicU64 = AtomicU64::new(0);
    fn fill(server: &Handle, client: ClientId) {
        while server.send_binary(client, &[5; 16_000]).is_ok() {}
    }
    let (mut config, endpoint) = config(1);
    config.set_outbox_limit(endpoint, 1 << 16, 10_000).unwrap();
    let server = push(config, |server: &Handle, event: &Event<'_>| {
        let client = ClientId(event.client);
        match (event.kind, event.data) {
            (Kind::Message, b"feed me") => fill(server, client),
            (Kind::Message, data) => server.send_binary(client, data).unwrap(),
            (Kind::Drain, _) => {
                DRAINS.fetch_add(1, Ordering::SeqCst);
                fill(server, client);
            }
            _ => {}
        }
    });
    let mut hungry = Peer::connect(server);
    hungry.send(BINARY, b"feed me");
    let eater = std::thread::spawn(move || hungry.read_to_end());
    let mut other = Peer::connect(server);
    let start = Instant::now();
    while start.elapsed() < LASTS {
        other.send(BINARY, b"my turn");
        let answer = other.receive().expect("starved");
        assert_eq!(answer, (BINARY, b"my turn".to_vec()));
    }
    end(server, Duration::ZERO);
    eater.join().unwrap();
    assert!(DRAINS.load(Ordering::SeqCst) > 100, "it was hardly fed");
}
