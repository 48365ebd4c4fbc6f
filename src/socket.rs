//! Sockets between the planes: whatever was accepted, and where it was.

use std::net::TcpStream;
use std::os::unix::net::UnixStream;

/// A connected socket, as it is handed over: nonblocking, and watched by nobody.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}
