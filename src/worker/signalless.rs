//! Writing to a socket without SIGPIPE, on threads that may be the host's.

use std::io::{self, IoSlice, Write};

use mio::net::TcpStream;
use socket2::SockRef;

/// A socket whose peer may have gone. The standard library asks for no signal where it writes one buffer,
/// but `writev(2)` can't be asked.
pub(super) struct Signalless<'a>(pub(super) &'a TcpStream);

impl Write for Signalless<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stream = self.0;
        stream.write(bytes)
    }

    #[inline]
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        SockRef::from(self.0).send_vectored_with_flags(slices, libc::MSG_NOSIGNAL)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
