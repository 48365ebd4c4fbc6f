//! Echo in a bare poll loop: one thread, one buffer for all sockets, one write for each socket and turn.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use wsgate_benches::{framing, peer};

const BUFFER_SIZE: usize = 256 << 10;
const LISTENER: Token = Token(usize::MAX);

struct Client {
    socket: TcpStream,
    upgraded: bool,
    /// The beginning of a frame whose rest is still to come.
    unfinished: Vec<u8>,
    /// Answers that the socket did not take; nothing is read while there are any.
    unsent: Vec<u8>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_, port) = peer::arguments()?;
    let mut listener = TcpListener::bind(([127, 0, 0, 1], port).into())?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    peer::announce(listener.local_addr()?.port())?;

    let mut events = Events::with_capacity(1024);
    let mut clients = Slab::new();
    let mut buffer = vec![0; BUFFER_SIZE];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut clients)?;
                continue;
            }
            let Token(key) = event.token();
            // Whatever goes wrong with one client ends that client only.
            if !clients[key].turn(&mut buffer).unwrap_or(false) {
                clients.remove(key);
            }
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, clients: &mut Slab<Client>) -> io::Result<()> {
    loop {
        let (mut socket, _) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        socket.set_nodelay(true)?;
        let entry = clients.vacant_entry();
        let interests = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut socket, Token(entry.key()), interests)?;
        entry.insert(Client { socket, upgraded: false, unfinished: Vec::new(), unsent: Vec::new() });
    }
}

impl Client {
    /// Answers what can be read; false when the client has gone.
    fn turn(&mut self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            if !self.flush()? {
                return Ok(true);
            }
            let mut filled = self.unfinished.len();
            // A frame that does not fit makes the buffer grow, for good.
            if buffer.len() < 2 * filled {
                buffer.resize(2 * filled, 0);
            }
            buffer[..filled].copy_from_slice(&self.unfinished);
            let room = buffer.len() - filled;
            let read = match self.socket.read(&mut buffer[filled..]) {
                Ok(0) => return Ok(false),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            };
            filled += read;
            if !self.take(&mut buffer[..filled])? {
                return Ok(false);
            }
            // A short read has emptied the socket: no need to ask again.
            if read < room && self.unsent.is_empty() {
                return Ok(true);
            }
        }
    }

    /// Takes all the bytes there are of this client and answers them; false after Close.
    fn take(&mut self, mut bytes: &mut [u8]) -> io::Result<bool> {
        self.unfinished.clear();
        if !self.upgraded {
            let Some((response, taken)) = framing::upgrade(bytes) else {
                self.unfinished.extend_from_slice(bytes);
                return Ok(true);
            };
            self.upgraded = true;
            self.send(&response)?;
            bytes = &mut bytes[taken..];
        }
        let echo = framing::echo(bytes);
        self.unfinished.extend_from_slice(&bytes[echo.taken..]);
        if echo.answer > 0 {
            self.send(&bytes[..echo.answer])?;
        }
        Ok(!echo.closed)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = if self.unsent.is_empty() { self.write(bytes)? } else { 0 };
        self.unsent.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// False if there is something left to send.
    fn flush(&mut self) -> io::Result<bool> {
        if !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            let written = self.write(&unsent)?;
            self.unsent.extend_from_slice(&unsent[written..]);
        }
        Ok(self.unsent.is_empty())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.socket.write(bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            result => result,
        }
    }
}
