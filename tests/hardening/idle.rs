//! Who waits costs nothing.

use std::net::Shutdown;
use std::sync::mpsc::channel;
use std::time::Duration;

use wsgate::{ClientId, Event, Handle, Kind, Taken};

use super::peer::{BINARY, CONTINUATION, Peer, close, fragment, frame};
use super::process::{alone, cpu_time, resident_bytes};
use super::served::{PATIENCE, config, end, pull, push};

#[test]
fn a_client_keeps_no_memory_of_a_message_that_was_delivered() {
    alone("idle::a_client_keeps_no_memory_of_a_message_that_was_delivered", || {
        const CLIENTS: u64 = 200;
        const HALF: usize = 1 << 19;
        let (report, delivered) = channel();
        let server = push(config(1).0, move |_: &Handle, event: &Event<'_>| {
            if event.kind == Kind::Message {
                report.send(event.data.len()).unwrap();
            }
        });
        let mut peers: Vec<Peer> = (0..CLIENTS).map(|_| Peer::connect(server)).collect();
        let halves = [fragment(BINARY, &[1; HALF]), frame(CONTINUATION, &[2; HALF])]
            .map(|half| half.into_boxed_slice());
        let before = resident_bytes();
        for peer in &mut peers {
            for half in &halves {
                peer.write(half).unwrap();
            }
            assert_eq!(delivered.recv_timeout(PATIENCE).unwrap(), 2 * HALF);
        }
        let grown = resident_bytes().saturating_sub(before);
        // A quarter of what they would hold together.
        assert!(grown < CLIENTS * 2 * HALF as u64 / 4, "{CLIENTS} idle clients hold {} MiB", grown >> 20);
        end(server, Duration::ZERO);
    });
}

#[test]
fn whatever_a_server_waits_for_it_comes_to_rest() {
    alone("idle::whatever_a_server_waits_for_it_comes_to_rest", || comes_to_rest(false));
}

#[test]
fn whatever_a_server_waits_for_it_comes_to_rest_with_its_descriptor_watched() {
    alone("idle::whatever_a_server_waits_for_it_comes_to_rest_with_its_descriptor_watched", || {
        comes_to_rest(true);
    });
}

fn comes_to_rest(watched: bool) {
    const CLIENTS: usize = 20;
    let (mut config, endpoint) = config(4);
    // Nothing ends by itself while this runs.
    config.set_close_period(endpoint, 3_600_000).unwrap();
    let (server, queue) = pull(config, 1 << 16);
    if watched {
        queue.fd();
    }
    let mut taken = Taken::new();
    // One after the other, so that the ids are in the peers' order.
    let (mut peers, ids): (Vec<Peer>, Vec<ClientId>) = (0..CLIENTS)
        .map(|_| {
            let peer = Peer::connect(server);
            assert_eq!(queue.take(&mut taken, 0, Some(PATIENCE)).unwrap(), 1);
            (peer, ClientId(taken.records()[0].client))
        })
        .unzip();
    assert_rest("all are idle");

    for peer in &mut peers[..5] {
        peer.write(&[frame(BINARY, b"question"), close(1000)].concat()).unwrap();
    }
    assert_rest("questions before Close frames were not taken");
    while queue.take(&mut taken, 0, Some(Duration::ZERO)).unwrap() > 0 && taken.pending() > 0 {}
    assert_rest("questions before Close frames were taken, and not dealt with");

    for id in &ids[5..10] {
        while server.send_binary(*id, &[1; 500_000]).is_ok() {}
    }
    assert_rest("outboxes are full, and nobody reads");
    for id in &ids[5..7] {
        server.close(*id, 1000, b"").unwrap();
    }
    assert_rest("Close frames wait in full outboxes");

    for state in ["the queue is full, and nobody takes", "more waits in the sockets, and nobody takes"] {
        for peer in &mut peers[10..] {
            peer.send(BINARY, &[1; 50_000]);
        }
        assert_rest(state);
    }
    for peer in &mut peers[15..] {
        peer.stream.shutdown(Shutdown::Both).unwrap();
    }
    assert_rest("the queue is full, and peers have gone");

    end(server, Duration::from_millis(500));
    let mut closes = 0;
    while queue.take(&mut taken, 0, Some(Duration::ZERO)).is_ok() {
        closes += taken.records().iter().filter(|record| record.kind == Kind::Close as u32).count();
    }
    assert_eq!(closes, CLIENTS);
}

/// There soon comes a while in which hardly any processor time is used.
fn assert_rest(state: &str) {
    const WHILE: Duration = Duration::from_millis(700);
    const HARDLY_ANY: Duration = Duration::from_millis(70);
    let mut used = Vec::new();
    while used.len() < 10 {
        let before = cpu_time();
        std::thread::sleep(WHILE);
        used.push(cpu_time() - before);
        if used.last() < Some(&HARDLY_ANY) {
            return;
        }
    }
    panic!("{state}: {used:?} in spans of {WHILE:?}");
}
