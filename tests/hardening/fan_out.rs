//! A message to very many clients leaves in slices: others are served meanwhile, and nobody is taken for slow
//! because we have not written to it.

use std::sync::mpsc::channel;
use std::time::Duration;

use wsgate::{ClientId, Event, Handle, Kind};

use super::peer::{BINARY, Peer};
use super::process::alone;
use super::served::{PATIENCE, config, end, push};

/// A few slices.
const MEMBERS: usize = 3500;

fn members(server: &wsgate::Server, count: usize) -> Vec<Peer> {
    (0..count).map(|_| Peer::connect(server)).collect()
}

#[test]
fn an_echo_comes_back_amid_a_huge_fan_out() {
    alone("fan_out::an_echo_comes_back_amid_a_huge_fan_out", || {
        const ROUNDS: usize = 60;
        let (mut config, endpoint) = config(1);
        let everybody = config.new_gateway().unwrap();
        config.set_gateway(endpoint, everybody).unwrap();
        let (report, accepted) = channel();
        let server = push(config, move |server: &Handle, event: &Event<'_>| {
            let client = ClientId(event.client);
            match event.kind {
                Kind::Accept => report.send(client).unwrap(),
                Kind::Message => server.send_binary(client, event.data).unwrap(),
                _ => {}
            }
        });
        let mut peers = members(server, MEMBERS);
        let mut stranger = Peer::connect(server);
        // It has joined with the others; they were accepted in the order in which they came.
        let accepted: Vec<_> = (0..=MEMBERS).map(|_| accepted.recv_timeout(PATIENCE).unwrap()).collect();
        server.leave_gateway(everybody, accepted[MEMBERS]).unwrap();
        let message = vec![7; 4096];
        let mut amid = 0;
        for _ in 0..ROUNDS {
            server.broadcast_binary(everybody, &message, &[]).unwrap();
            // The fan-out has begun.
            assert_eq!(peers[0].receive().unwrap().1, message);
            stranger.send(BINARY, b"and I?");
            assert_eq!(stranger.receive().unwrap(), (BINARY, b"and I?".to_vec()));
            // Who is last in it has nothing yet: the answer came first.
            amid += u32::from(!peers[MEMBERS - 1].has_some());
            for peer in &mut peers[1..] {
                assert_eq!(peer.receive().unwrap().1, message);
            }
            if amid > 0 {
                break;
            }
        }
        assert!(amid > 0, "in {ROUNDS} rounds the echo always waited for the whole fan-out");
        end(server, Duration::from_secs(5));
    });
}

#[test]
fn who_has_not_been_written_to_is_not_too_slow() {
    alone("fan_out::who_has_not_been_written_to_is_not_too_slow", || {
        const MESSAGES: usize = 60;
        let (mut config, endpoint) = config(1);
        // Room for a few of the messages only; but whoever is written to takes them all.
        config.set_outbox_limit(endpoint, 2000, 4).unwrap();
        let everybody = config.new_gateway().unwrap();
        config.set_gateway(endpoint, everybody).unwrap();
        let (report, told) = channel();
        let server = push(config, move |_: &Handle, event: &Event<'_>| report.send(event.kind).unwrap());
        let mut peers = members(server, MEMBERS);
        for _ in 0..MEMBERS {
            assert_eq!(told.recv_timeout(PATIENCE).unwrap(), Kind::Accept);
        }
        for n in 0..MESSAGES {
            server.broadcast_binary(everybody, &[n as u8; 300], &[]).unwrap();
        }
        for peer in &mut peers {
            for n in 0..MESSAGES {
                assert_eq!(peer.receive().unwrap(), (BINARY, vec![n as u8; 300]));
            }
        }
        assert!(told.try_recv().is_err(), "somebody was closed");
        end(server, Duration::from_secs(5));
    });
}
