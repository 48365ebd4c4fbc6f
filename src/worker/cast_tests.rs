//! What a multicast tells of itself adds up: each client that was chosen is delivered to or failed, once.

use super::*;
use crate::gateway::outcome::Outcome;
use crate::worker::{Mailbox, Shared, harness};

const TICKET: Option<u64> = Some(7);

/// A worker that is not started, with a client on its way to it, and a gateway.
struct Fixture {
    _poll: mio::Poll,
    _peer: std::net::TcpStream,
    mailbox: Arc<Mailbox>,
    shared: Arc<Shared>,
    gateway: GatewayId,
    client: u64,
}

impl Fixture {
    fn new() -> Self {
        let (poll, mailbox, shared) = harness::shared();
        let (ClientId(client), peer) = harness::connect(&shared);
        let gateway = shared.gateways.create().unwrap();
        Self { _poll: poll, _peer: peer, mailbox, shared, gateway, client }
    }

    fn multicast(&self, to: impl Iterator<Item = u64>) {
        let message = Message::binary(b"hi");
        Poster::direct(&self.shared).multicast(self.gateway, message, to, TICKET).unwrap();
    }

    /// The worker ends; who failed.
    fn failed(self) -> Vec<u64> {
        drop(self.mailbox.end());
        let outcomes: Vec<Outcome> = self.shared.outcomes.take();
        let [Outcome { ticket: 7, tally, .. }] = &outcomes[..] else { panic!("{outcomes:?}") };
        assert_eq!((tally.delivered, tally.failed), (0, tally.ids.len() as u64));
        tally.ids.clone()
    }
}

#[test]
fn who_is_chosen_twice_and_goes_meanwhile_fails_once() {
    let fixture = Fixture::new();
    let client = fixture.client;
    fixture.multicast((0..2).map(|turn| {
        if turn == 1 {
            fixture.shared.clients.remove(client);
        }
        client
    }));
    assert_eq!(fixture.failed(), [client]);
}

#[test]
fn who_is_chosen_while_the_worker_ends_fails() {
    for after in [false, true] {
        let fixture = Fixture::new();
        let client = fixture.client;
        fixture.multicast([client, 1].into_iter().inspect(|_| {
            if after {
                drop(fixture.mailbox.end());
            }
        }));
        let mut failed = fixture.failed();
        failed.sort_unstable();
        assert_eq!(failed, [1, client], "the call came {}", if after { "too late" } else { "just before" });
    }
}

#[test]
fn who_is_chosen_in_a_submission_to_a_worker_that_ends_fails() {
    let fixture = Fixture::new();
    let client = fixture.client;
    let mut batches = Vec::new();
    let mut poster = Poster::gathering(&fixture.shared, &mut batches);
    poster.multicast(fixture.gateway, Message::binary(b"hi"), [client].into_iter(), TICKET).unwrap();
    drop(fixture.mailbox.end());
    poster.deliver();
    assert_eq!(fixture.failed(), [client]);
}
