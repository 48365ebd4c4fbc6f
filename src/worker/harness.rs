//! What the tests of a worker stand on: what one worker's threads share, and a client who connects to it.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mio::Poll;

use super::{Adopt, Arrival, Command, Mailbox, Shared, WAKER, pair};
use crate::config::{ClientId, Config};
use crate::socket::Socket;

/// With one endpoint and one worker, which is not started: its poller, and its mailbox.
pub(super) fn shared() -> (Poll, Arc<Mailbox>, Arc<Shared>) {
    let mut config = Config::new();
    config.add_endpoint("/").unwrap();
    let (poll, mailbox) = pair(WAKER).unwrap();
    let mailboxes = vec![Arc::clone(&mailbox)];
    let shared = Shared::new(config.endpoints, config.gateways, config.queue_limit, mailboxes);
    (poll, mailbox, Arc::new(shared))
}

/// A client who is handed over to the worker, and the peer's end of its connection.
pub(super) fn connect(shared: &Shared) -> (ClientId, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();
    let settings = &shared.endpoints[0];
    let id = shared.clients.insert(|id, client| client.prepare(id, 0, 0, settings, 1)).unwrap();
    let mailbox = &shared.mailboxes[0];
    mailbox.clients.fetch_add(1, Ordering::Relaxed);
    let arrival = Arrival { socket: Socket::Tcp(stream), early: bytes::Bytes::new(), permit: None };
    let adopt = Adopt { id, arrival, endpoint: 0, request: Some(Vec::new()) };
    mailbox.post(|batch| batch.commands.push(Command::Adopt(Box::new(adopt))));
    (ClientId(id), peer)
}
