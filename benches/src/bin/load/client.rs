//! One client: a socket, what it has still to send, and what it waits for.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use mio::{Interest, Registry, Token};

use crate::frames::{Incoming, Ring};

pub(crate) struct Client {
    socket: mio::net::TcpStream,
    incoming: Incoming,
    /// Where in the ring the next byte to send is, and how many are to be sent from there.
    position: usize,
    /// The number of the next message to be sent.
    next: usize,
    owed: usize,
    /// Bytes, since it was connected.
    pub(crate) received: u64,
}

impl Client {
    /// Takes an upgraded socket; its first message is number `first`.
    pub(crate) fn new(
        socket: TcpStream,
        index: usize,
        first: usize,
        ring: &Ring,
        registry: &Registry,
    ) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let mut socket = mio::net::TcpStream::from_std(socket);
        registry.register(&mut socket, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Client {
            socket,
            incoming: Incoming::new(first, ring),
            position: ring.position(first),
            next: first,
            owed: 0,
            received: 0,
        })
    }

    /// Sends the next `messages`: in one write, unless earlier ones still wait.
    pub(crate) fn send(&mut self, messages: usize, ring: &Ring) -> io::Result<()> {
        let waits = self.owed > 0;
        self.owed += ring.length(self.next, messages);
        self.next += messages;
        if waits { Ok(()) } else { self.flush(ring) }
    }

    /// Sends what is owed, as far as the socket takes it; to be called when it is writable.
    pub(crate) fn flush(&mut self, ring: &Ring) -> io::Result<()> {
        while self.owed > 0 {
            match self.socket.write_vectored(&ring.slices(self.position, self.owed)) {
                Ok(written) => {
                    self.position = ring.advance(self.position, written);
                    self.owed -= written;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads all there is, and returns how many messages that completed.
    pub(crate) fn receive(&mut self, buffer: &mut [u8], ring: &Ring, compare: bool) -> io::Result<usize> {
        let mut messages = 0;
        loop {
            match self.socket.read(buffer) {
                Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server hung up")),
                Ok(read) => {
                    self.received += read as u64;
                    let bytes = &buffer[..read];
                    messages += self.incoming.feed(bytes, ring, compare).map_err(io::Error::other)?;
                    // A short read has emptied the socket: no need to ask again.
                    if read < buffer.len() {
                        return Ok(messages);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(messages),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl From<Client> for TcpStream {
    fn from(client: Client) -> TcpStream {
        client.socket.into()
    }
}
