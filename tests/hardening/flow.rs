//! Who is slow, a peer or the host, is held back alone, and nothing grows without bound meanwhile.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use wsgate::{Cause, ClientId, Event, Handle, Info, Kind, Queue, Server, SlowConsumer, Taken};

use super::peer::{BINARY, PING, PONG, Peer, frame};
use super::process::{alone, resident_bytes};
use super::served::{PATIENCE, config, end, pull, push};

/// How long a host stays away: some seconds, or as the long form of these tests wants it.
fn a_while() -> Duration {
    let seconds = std::env::var("WSGATE_TEST_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(2))
}

/// Takes events until `enough` says so.
fn take_until(queue: &Queue, mut enough: impl FnMut(&Taken) -> bool) {
    let mut taken = Taken::new();
    let end = Instant::now() + PATIENCE;
    loop {
        queue.take(&mut taken, 0, Some(Duration::from_millis(50))).unwrap();
        if enough(&taken) {
            return;
        }
        assert!(Instant::now() < end, "what was waited for does not come");
    }
}

fn accepted(queue: &Queue) -> ClientId {
    let mut id = None;
    take_until(queue, |taken| {
        id = taken.records().iter().find(|record| record.kind == Kind::Accept as u32).map(|r| r.client);
        id.is_some()
    });
    ClientId(id.unwrap())
}

/// A message: who says it, and which of theirs it is.
fn numbered(peer: u64, number: u64, size: usize) -> Vec<u8> {
    let mut data = [peer.to_le_bytes(), number.to_le_bytes()].concat();
    data.resize(size, 7);
    data
}

fn numbers(data: &[u8]) -> (u64, u64) {
    let word = |at: usize| u64::from_le_bytes(data[at..at + 8].try_into().unwrap());
    (word(0), word(8))
}

#[test]
fn a_host_that_stays_away_gets_everything_when_it_comes_back() {
    const PEERS: u64 = 8;
    const LIMIT: u64 = 1 << 18;
    const SIZE: usize = 1000;
    let (mut config, endpoint) = config(2);
    // So short that every peer would be given up while nobody takes.
    config.set_heartbeat(endpoint, 100, 1).unwrap();
    let (server, queue) = pull(config, LIMIT);
    let (stopping, finished) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (told, sent) = channel();
    let peers: Vec<Peer> = (0..PEERS)
        .map(|_| {
            let peer = Peer::connect(server);
            accepted(&queue);
            peer
        })
        .collect();
    let senders: Vec<_> = (0..PEERS)
        .zip(peers)
        .map(|(number, mut peer)| {
            let (stopping, finished, told) = (Arc::clone(&stopping), Arc::clone(&finished), told.clone());
            std::thread::spawn(move || {
                // It can't send while the host is away, and no answers to pings either.
                peer.stream.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
                let (mut messages, mut waiting, mut at) = (0, Vec::new(), 0);
                while !finished.load(Ordering::SeqCst) {
                    if at < waiting.len() {
                        at += std::io::Write::write(&mut peer.stream, &waiting[at..]).unwrap_or(0);
                        continue;
                    }
                    (waiting, at) = (Vec::new(), 0);
                    while peer.has_more() {
                        match peer.receive().unwrap() {
                            (PING, data) => waiting.extend(frame(PONG, &data)),
                            other => panic!("{other:?}"),
                        }
                    }
                    if !stopping.load(Ordering::SeqCst) {
                        waiting.extend(frame(BINARY, &numbered(number, messages, SIZE)));
                        messages += 1;
                    } else if messages > 0 {
                        told.send(std::mem::take(&mut messages)).unwrap();
                    }
                }
            })
        })
        .collect();
    let away = Instant::now();
    let mut most = 0;
    while away.elapsed() < a_while() {
        std::thread::sleep(Duration::from_millis(10));
        most = most.max(server.info().unwrap().event_bytes);
    }
    assert!(most > LIMIT / 2, "the host had nothing to be away from: {most}");
    // Each worker may be in the midst of one read when the queue is full.
    assert!(most < LIMIT + 2 * (512 << 10), "{most} bytes of events wait");
    let mut next: HashMap<u64, u64> = HashMap::new();
    let (mut all, mut told) = (0, 0);
    stopping.store(true, Ordering::SeqCst);
    take_until(&queue, |taken| {
        for record in taken.records() {
            assert_eq!(record.kind, Kind::Message as u32, "code {}", record.code);
            let (peer, number) = numbers(taken.data(record));
            let expected = next.entry(peer).or_default();
            assert_eq!(number, *expected, "of peer {peer}");
            *expected += 1;
        }
        for messages in sent.try_iter() {
            all += messages;
            told += 1;
        }
        told == PEERS && next.values().sum::<u64>() == all
    });
    finished.store(true, Ordering::SeqCst);
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    end(server, Duration::ZERO);
}

#[test]
fn a_client_whose_messages_are_not_granted_delays_nobody() {
    const ROUNDS: usize = 200;
    let (mut config, endpoint) = config(1);
    config.set_explicit_grants(endpoint, true).unwrap();
    config.set_receive_window(endpoint, 1 << 20, 4).unwrap();
    config.set_heartbeat(endpoint, 50, 1).unwrap();
    let (server, queue) = pull(config, 1 << 18);
    let mut slow = Peer::connect(server);
    let slow_id = accepted(&queue);
    let mut other = Peer::connect(server);
    let other_id = accepted(&queue);
    slow.stream.set_nonblocking(true).unwrap();
    // As much as its window, our buffers and the kernel's hold.
    let burst = frame(BINARY, &[1; 10_000]);
    while std::io::Write::write(&mut slow.stream, &burst).is_ok() {}
    let mut of_slow = 0;
    for _ in 0..ROUNDS {
        other.send(BINARY, b"my turn");
        take_until(&queue, |taken| {
            let mut answered = false;
            for record in taken.records().iter().filter(|record| record.kind == Kind::Message as u32) {
                let client = ClientId(record.client);
                if client == other_id {
                    server.grant(client, record.length, 1).unwrap();
                    server.send_binary(client, taken.data(record)).unwrap();
                    answered = true;
                } else {
                    of_slow += 1;
                }
            }
            answered
        });
        while other.receive().unwrap().0 != BINARY {}
    }
    assert_eq!(of_slow, 4, "what the window holds");
    assert_eq!(server.client_info(slow_id).unwrap().unanswered_pings, 0);
    end(server, Duration::ZERO);
}

#[test]
fn heartbeats_and_others_broadcasts_go_on_while_the_handler_blocks() {
    let (mut config, endpoint) = config(1);
    config.set_heartbeat(endpoint, 100, 2).unwrap();
    let everybody = config.new_gateway().unwrap();
    config.set_gateway(endpoint, everybody).unwrap();
    let (server, queue) = pull(config, 1 << 20);
    let mut asking = Peer::connect(server);
    accepted(&queue);
    let mut listening = Peer::connect(server);
    let id = accepted(&queue);
    asking.send(BINARY, b"something that takes long");
    let blocked = Arc::new(AtomicBool::new(true));
    let handler = {
        let blocked = Arc::clone(&blocked);
        std::thread::spawn(move || {
            take_until(&queue, |taken| {
                taken.records().iter().any(|record| record.kind == Kind::Message as u32)
            });
            std::thread::sleep(a_while());
            blocked.store(false, Ordering::SeqCst);
            queue
        })
    };
    let (mut pings, mut heard) = (0, 0);
    while blocked.load(Ordering::SeqCst) {
        server.broadcast_binary(everybody, b"news", &[]).unwrap();
        let mut waits = true;
        while waits {
            match listening.receive().unwrap() {
                (PING, data) => {
                    listening.send(PONG, &data);
                    pings += 1;
                }
                (BINARY, data) if data == b"news" => {
                    heard += 1;
                    waits = false;
                }
                other => panic!("{other:?}"),
            }
        }
        while asking.has_more() {
            if let (PING, data) = asking.receive().unwrap() {
                asking.send(PONG, &data);
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(pings >= 5 && heard >= 20, "{pings} pings, {heard} broadcasts");
    assert!(server.client_info(id).unwrap().unanswered_pings <= 1);
    let queue = handler.join().unwrap();
    let mut taken = Taken::new();
    queue.take(&mut taken, 0, Some(Duration::ZERO)).unwrap();
    assert!(taken.records().is_empty(), "nobody was closed");
    end(server, Duration::ZERO);
}

#[test]
fn who_connects_while_the_queue_is_full_is_announced_when_it_is_not() {
    const LIMIT: u64 = 1 << 16;
    let (config, _) = config(1);
    let (server, queue) = pull(config, LIMIT);
    let mut first = Peer::connect(server);
    accepted(&queue);
    while server.info().unwrap().event_bytes <= LIMIT {
        first.send(BINARY, &[1; 10_000]);
    }
    let mut late = Peer::connect_early(server, &frame(BINARY, b"early"));
    while server.info().unwrap().arrivals != 1 {
        std::thread::yield_now();
    }
    let mut order = Vec::new();
    let mut late_id = 0;
    take_until(&queue, |taken| {
        for record in taken.records() {
            if record.kind == Kind::Accept as u32 {
                late_id = record.client;
            }
            if late_id != 0 && record.client == late_id {
                order.push((record.kind, taken.data(record).len()));
            }
        }
        order.len() == 2
    });
    assert_eq!((order[0].0, order[1]), (Kind::Accept as u32, (Kind::Message as u32, 5)));
    assert_eq!(server.info().unwrap().arrivals, 0);
    server.send_binary(ClientId(late_id), b"welcome").unwrap();
    assert_eq!(late.receive().unwrap(), (BINARY, b"welcome".to_vec()));
    end(server, Duration::ZERO);
}

#[test]
fn stuck_clients_lose_the_largest_queues_when_all_together_are_over_the_budget() {
    alone("flow::stuck_clients_lose_the_largest_queues_when_all_together_are_over_the_budget", || {
        const PEERS: usize = 300;
        const BUDGET: u64 = 32 << 20;
        const LARGE: usize = 100;
        let (mut config, endpoint) = config(2);
        config.set_outbox_limit(endpoint, 4 << 20, 10_000).unwrap();
        config.set_close_period(endpoint, 100).unwrap();
        wsgate::set_outbox_budget(BUDGET).unwrap();
        let (told, closes) = channel();
        let (new, accepts) = channel();
        let server = push(config, move |_: &Handle, event: &Event<'_>| match event.kind {
            Kind::Accept => drop(new.send(ClientId(event.client))),
            Kind::Close => drop(told.send((ClientId(event.client), event.code, event.value))),
            _ => {}
        });
        let peers: Vec<(Peer, ClientId)> = (0..PEERS)
            .map(|_| {
                let peer = Peer::connect(server);
                (peer, accepts.recv_timeout(PATIENCE).unwrap())
            })
            .collect();
        let before = resident_bytes();
        // To each its own, so that nothing is shared; the first get more than the others.
        let mut most = 0;
        for (number, (_, id)) in peers.iter().enumerate().rev() {
            let length = if number < LARGE { 1 << 20 } else { 1 << 10 };
            // More than the kernel's buffers take.
            for _ in 0..4 {
                let _ = server.send_binary(*id, &vec![number as u8; length]);
            }
            most = most.max(resident_bytes());
            // What is still on its way to a worker counts, but no worker can do anything about it.
            let start = Instant::now();
            while wsgate::outbox_bytes() > BUDGET {
                assert!(start.elapsed() < PATIENCE, "{} bytes wait", wsgate::outbox_bytes());
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let evicted: Vec<_> =
            (0..server.info().unwrap().evicted).map(|_| closes.recv_timeout(PATIENCE).unwrap()).collect();
        assert!(server.info().unwrap().evicted > 0);
        let large: Vec<ClientId> = peers[..LARGE].iter().map(|(_, id)| *id).collect();
        for (id, code, cause) in &evicted {
            assert_eq!((*code, *cause), (1013, Cause::Slow as u64));
            assert!(large.contains(id), "one of the small queues went");
        }
        let grown = most.saturating_sub(before);
        assert!(grown < BUDGET + (32 << 20), "{} MiB grown", grown >> 20);
        for (_, id) in &peers[LARGE..] {
            server.send_binary(*id, b"still here").unwrap();
        }
        end(server, Duration::ZERO);
    });
}

/// Floods a gateway of two, of whom one does not read: what waits for that one stays bounded, and the other
/// gets everything.
fn flood(policy: SlowConsumer) -> (Info, Option<Cause>) {
    const LIMIT: u64 = 1 << 20;
    const MESSAGES: u64 = 20_000;
    const IN_FLIGHT: u64 = 64;
    let (mut config, endpoint) = config(1);
    config.set_outbox_limit(endpoint, LIMIT, 10_000).unwrap();
    config.set_slow_consumer(endpoint, policy).unwrap();
    config.set_close_period(endpoint, 100).unwrap();
    config.set_heartbeat(endpoint, 0, 1).unwrap();
    let everybody = config.new_gateway().unwrap();
    config.set_gateway(endpoint, everybody).unwrap();
    let (told, events) = channel();
    let server: &Server = push(config, move |_: &Handle, event: &Event<'_>| {
        let info = Info::split(event.data).map(|(info, _)| info);
        let _ = told.send((event.kind, event.client, event.value, info));
    });
    let stuck = Peer::connect(server);
    let id = ClientId(events.recv_timeout(PATIENCE).unwrap().1);
    let mut reader = Peer::connect(server);
    assert_eq!(events.recv_timeout(PATIENCE).unwrap().0, Kind::Accept, "it is a member from then on");
    let got = Arc::new(AtomicU64::new(0));
    let reading = {
        let got = Arc::clone(&got);
        std::thread::spawn(move || {
            for number in 0..MESSAGES {
                let (opcode, data) = reader.receive().unwrap();
                assert_eq!((opcode, numbers(&data).1), (BINARY, number));
                got.store(number + 1, Ordering::SeqCst);
            }
            reader
        })
    };
    let before = resident_bytes();
    let (mut most, mut queued) = (0, 0);
    for number in 0..MESSAGES {
        server.broadcast_binary(everybody, &numbered(0, number, 1000), &[]).unwrap();
        while number.saturating_sub(got.load(Ordering::SeqCst)) >= IN_FLIGHT {
            assert!(!reading.is_finished(), "the other does not get everything");
            std::thread::yield_now();
        }
        if number % 100 == 0 {
            most = most.max(resident_bytes().saturating_sub(before));
            queued = queued.max(server.client_info(id).map_or(0, |info| info.queued_bytes));
        }
    }
    let reader = reading.join().unwrap();
    assert!(queued <= LIMIT, "{queued} bytes wait");
    // Blocks are shared by parts of a quarter at least.
    assert!(most < 5 * LIMIT + (8 << 20), "{} MiB grown", most >> 20);
    // Who is closed has the close period to answer in: the flood may be over before that.
    let last = match server.client_info(id) {
        Ok(info) if policy != SlowConsumer::Close => (info, None),
        _ => {
            let (_, _, cause, info) = std::iter::from_fn(|| events.recv_timeout(PATIENCE).ok())
                .find(|event| event.0 == Kind::Close)
                .unwrap();
            assert_eq!(cause, Cause::Slow as u64);
            (info.unwrap(), Some(Cause::Slow))
        }
    };
    drop((stuck, reader));
    end(server, Duration::ZERO);
    last
}

#[test]
fn a_stuck_client_is_closed_under_a_flood_and_the_other_gets_it_all() {
    alone("flow::a_stuck_client_is_closed_under_a_flood_and_the_other_gets_it_all", || {
        let (info, closed) = flood(SlowConsumer::Close);
        assert_eq!((info.dropped, closed), (0, Some(Cause::Slow)));
    });
}

#[test]
fn a_stuck_client_loses_the_newest_of_a_flood_and_the_other_gets_it_all() {
    alone("flow::a_stuck_client_loses_the_newest_of_a_flood_and_the_other_gets_it_all", || {
        let (info, closed) = flood(SlowConsumer::DropNewest);
        assert!(info.dropped > 1000 && closed.is_none(), "{info:?}");
    });
}

#[test]
fn a_stuck_client_loses_the_oldest_of_a_flood_and_the_other_gets_it_all() {
    alone("flow::a_stuck_client_loses_the_oldest_of_a_flood_and_the_other_gets_it_all", || {
        let (info, closed) = flood(SlowConsumer::DropOldest);
        assert!(info.dropped > 1000 && closed.is_none(), "{info:?}");
    });
}
