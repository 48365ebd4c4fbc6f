//! Messages that clients don't finish take no more memory, all together, than they may.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use wsgate::{Cause, ClientId, Event, Handle, Kind, Server};

use super::peer::{BINARY, CLOSE, Peer, frame};
use super::process::{alone, resident_bytes};
use super::served::{PATIENCE, config, end, push};

const BUDGET: u64 = 16 << 20;
const LARGE: usize = 200;
const SIZE: usize = 300_000;

#[test]
fn the_longest_unfinished_messages_go_when_all_together_are_over_the_budget() {
    alone("inbox::the_longest_unfinished_messages_go_when_all_together_are_over_the_budget", || {
        let (mut config, endpoint) = config(2);
        config.set_rate_limit(endpoint, 0, 0).unwrap();
        wsgate::set_inbox_budget(BUDGET).unwrap();
        let (told, closes) = channel();
        let server = push(config, move |server: &Handle, event: &Event<'_>| match event.kind {
            Kind::Message => server.send_binary(ClientId(event.client), event.data).unwrap(),
            Kind::Close => drop(told.send((event.code, event.value))),
            _ => {}
        });
        // Those have less than the others all the time, and are never the ones to go.
        let mut small: Vec<Peer> = (0..20).map(|_| Peer::connect(server)).collect();
        let message = frame(BINARY, &[7; 2000]);
        for peer in &mut small {
            peer.write(&message[..1000]).unwrap();
        }
        let before = resident_bytes();
        let mut most = 0;
        let large = frame(BINARY, &[9; SIZE]);
        let mut peers: Vec<Peer> = (0..LARGE)
            .map(|_| {
                let mut peer = Peer::connect(server);
                // One that is closed meanwhile may be cut.
                let _ = peer.write(&large[..SIZE - 1]);
                most = most.max(resident_bytes());
                peer
            })
            .collect();
        let overloads = settled(server);
        assert!(overloads > 0 && (overloads as usize) < LARGE, "{overloads} of {LARGE} were closed");
        for _ in 0..overloads {
            assert_eq!(closes.recv_timeout(PATIENCE).unwrap(), (1013, Cause::Limit as u64));
        }
        // The event may come before its frame.
        let start = Instant::now();
        while peers.iter_mut().filter(|peer| peer.has_some()).count() < overloads as usize {
            assert!(start.elapsed() < PATIENCE, "not all {overloads} were told");
            std::thread::sleep(Duration::from_millis(1));
        }
        let closed = peers.iter_mut().filter(|peer| peer.has_some()).count();
        let close = peers.iter_mut().find(|peer| peer.has_some()).unwrap().receive().unwrap();
        assert_eq!(close, (CLOSE, [&1013u16.to_be_bytes()[..], b"Server overloaded"].concat()));
        assert_eq!(closed as u64, overloads);
        // Beside the budget, each worker's read buffer and what the kernel has not been asked for.
        let grown = most.saturating_sub(before);
        assert!(grown < BUDGET + (8 << 20), "{} MiB grown", grown >> 20);
        for peer in &mut small {
            peer.write(&message[1000..]).unwrap();
            assert_eq!(peer.receive().unwrap(), (BINARY, vec![7; 2000]));
        }
        drop(peers);
        let start = Instant::now();
        while wsgate::inbox_bytes() > 0 {
            assert!(start.elapsed() < PATIENCE, "{} bytes are left", wsgate::inbox_bytes());
            std::thread::sleep(Duration::from_millis(1));
        }
        end(server, Duration::ZERO);
    });
}

/// How many were closed, when all that was sent has been read.
fn settled(server: &Server) -> u64 {
    let start = Instant::now();
    loop {
        let info = server.info().unwrap();
        let read = info.inbox_bytes + info.overloads * SIZE as u64;
        if info.inbox_bytes <= BUDGET && read >= (LARGE * (SIZE - 1)) as u64 {
            return info.overloads;
        }
        assert!(start.elapsed() < PATIENCE, "{info:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
