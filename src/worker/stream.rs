//! A client's socket, of whichever kind, or its place while it is still on the way.
//!
//! It is written to without SIGPIPE, as that may happen on the host's threads. The standard library asks for no
//! signal where it writes one buffer to TCP alone, and `writev(2)` can't be asked.

use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use crate::socket::Socket;

/// What a worker reads from and writes to.
pub(super) enum Stream {
    Tcp(mio::net::TcpStream),
    Unix(mio::net::UnixStream),
    /// The application has accepted the handshake, and the front is still telling the peer: what is sent
    /// meanwhile queues up. Holds the data of the ACCEPT that is owed.
    Awaited(Option<Box<[u8]>>),
}

impl Stream {
    /// Both interests at once and edge-triggered: the poller is never asked again.
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        self.source().map_or(Ok(()), |source| source.register(registry, token, both))
    }

    pub(super) fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.source().map_or(Ok(()), |source| source.deregister(registry))
    }

    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(how),
            Self::Unix(stream) => stream.shutdown(how),
            Self::Awaited(_) => Ok(()),
        }
    }

    fn source(&mut self) -> Option<&mut dyn Source> {
        match self {
            Self::Tcp(stream) => Some(stream),
            Self::Unix(stream) => Some(stream),
            Self::Awaited(_) => None,
        }
    }
}

impl From<Socket> for Stream {
    fn from(socket: Socket) -> Self {
        match socket {
            Socket::Tcp(stream) => Self::Tcp(mio::net::TcpStream::from_std(stream)),
            Socket::Unix(stream) => Self::Unix(mio::net::UnixStream::from_std(stream)),
        }
    }
}

impl Read for Stream {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
            Self::Awaited(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Stream {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => SockRef::from(&*stream).send_with_flags(bytes, libc::MSG_NOSIGNAL),
            Self::Awaited(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    #[inline]
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => SockRef::from(&*stream).send_vectored_with_flags(slices, libc::MSG_NOSIGNAL),
            Self::Unix(stream) => {
                SockRef::from(&*stream).send_vectored_with_flags(slices, libc::MSG_NOSIGNAL)
            }
            Self::Awaited(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
