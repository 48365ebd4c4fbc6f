//! All clients of a run, on one poller and with one buffer to read into.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::time::Instant;

use mio::{Events, Poll};

use crate::client::Client;
use crate::connect;
use crate::frames::Ring;
use crate::options::Options;

const BUFFER_SIZE: usize = 256 << 10;

pub(crate) struct Clients {
    pub(crate) ring: Ring,
    clients: Vec<Client>,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    deadline: Instant,
}

impl Clients {
    /// Connects all clients; `first` says with which message's number each begins.
    pub(crate) fn connect(
        options: &Options,
        deadline: Instant,
        first: impl Fn(usize) -> usize,
    ) -> io::Result<Self> {
        let ring = Ring::new(options.kind, options.deflate, options.size, options.depth);
        let poll = Poll::new()?;
        let sockets = connect::connect(options.port, options.clients, options.deflate, deadline)?;
        let register = |(index, socket)| Client::new(socket, index, first(index), &ring, poll.registry());
        let clients = sockets.into_iter().enumerate().map(register).collect::<io::Result<_>>()?;
        let events = Events::with_capacity(1024);
        Ok(Clients { ring, clients, poll, events, buffer: vec![0; BUFFER_SIZE], deadline })
    }

    pub(crate) fn send(&mut self, index: usize, messages: usize) -> io::Result<()> {
        self.clients[index].send(messages, &self.ring)
    }

    /// Waits for sockets that are ready, sends what is owed and reads; `completed` gets each client that completed
    /// messages, and how many.
    pub(crate) fn turn(
        &mut self,
        compare: bool,
        mut completed: impl FnMut(usize, usize, &mut Client, &Ring) -> io::Result<()>,
    ) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.poll.poll(&mut self.events, Some(left)) {
            Ok(()) if self.events.is_empty() => {
                return Err(io::Error::new(ErrorKind::TimedOut, "timed out: answers are missing"));
            }
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        }
        for event in &self.events {
            let index = event.token().0;
            let client = &mut self.clients[index];
            if event.is_writable() {
                client.flush(&self.ring)?;
            }
            if event.is_readable() {
                let messages = client.receive(&mut self.buffer, &self.ring, compare)?;
                if messages > 0 {
                    completed(index, messages, client, &self.ring)?;
                }
            }
        }
        Ok(())
    }

    /// Bytes that all have received.
    pub(crate) fn received(&self) -> u64 {
        self.clients.iter().map(|client| client.received).sum()
    }

    pub(crate) fn close(self) {
        connect::close(self.clients.into_iter().map(TcpStream::from).collect());
    }
}
