//! Sockets that listen, from the address to the last accept.

use std::fs;
use std::io;
use std::net::{Shutdown, TcpListener};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use crate::config::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::sys;

use super::stream::Stream;

/// The connections that may wait to be accepted; the kernel takes its own bound if that is lower.
const BACKLOG: i32 = 4096;

/// A socket that listens, nonblocking.
#[derive(Debug)]
pub(crate) struct Bound {
    socket: Listening,
    /// The file that goes with it.
    file: Option<File>,
    /// Others may listen on it after us: it is not ours to shut down.
    inherited: bool,
}

#[derive(Debug)]
enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A socket's file, told from one that somebody else puts in its place.
#[derive(Debug)]
struct File {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Drop for File {
    fn drop(&mut self) {
        let still_ours = |meta: &fs::Metadata| (meta.dev(), meta.ino()) == (self.device, self.inode);
        if fs::symlink_metadata(&self.path).as_ref().is_ok_and(still_ours) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Bound {
    /// Listens on an address; `mode` is that of a Unix socket's file. Address in use: BUSY.
    pub(crate) fn bind(address: &Address, mode: u32) -> Result<Self> {
        let named = |error: &io::Error| Error::io(&format!("listening on {address}"), error);
        match address {
            Address::Tcp(to) => {
                let socket = tcp(*to).map_err(|error| named(&error))?;
                Ok(Self { socket: Listening::Tcp(socket), file: None, inherited: false })
            }
            Address::Unix(path) => {
                make_way(path, address)?;
                let (socket, file) = unix(path, mode).map_err(|error| named(&error))?;
                Ok(Self { socket: Listening::Unix(socket), file: Some(file), inherited: false })
            }
            Address::Inherited(fd) => {
                let socket = inherited(*fd).map_err(|error| named(&error))?;
                Ok(Self { socket, file: None, inherited: true })
            }
        }
    }

    #[cfg(test)]
    pub(super) fn tcp(socket: TcpListener) -> Self {
        socket.set_nonblocking(true).unwrap();
        Self { socket: Listening::Tcp(socket), file: None, inherited: false }
    }

    /// The port; `None` for what has none.
    pub(crate) fn port(&self) -> Option<u16> {
        match &self.socket {
            Listening::Tcp(socket) => socket.local_addr().ok().map(|address| address.port()),
            Listening::Unix(_) => None,
        }
    }

    /// Goes over to tokio, within its context.
    pub(super) fn into_listener(self) -> io::Result<Listener> {
        let Self { socket, file, inherited } = self;
        let socket = match socket {
            Listening::Tcp(socket) => Watched::Tcp(tokio::net::TcpListener::from_std(socket)?),
            Listening::Unix(socket) => Watched::Unix(tokio::net::UnixListener::from_std(socket)?),
        };
        Ok(Listener { socket, _file: file, inherited })
    }
}

/// The same while tokio watches it.
pub(super) struct Listener {
    socket: Watched,
    /// Removed when this is dropped.
    _file: Option<File>,
    inherited: bool,
}

enum Watched {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

impl Listener {
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match &self.socket {
            Watched::Tcp(socket) => socket.accept().await.map(|(stream, _)| Stream::Tcp(stream)),
            Watched::Unix(socket) => socket.accept().await.map(|(stream, _)| Stream::Unix(stream)),
        }
    }

    /// Ends listening for everybody, so that what a forked child still holds open does not keep the address.
    pub(super) fn close(self) {
        if self.inherited {
            return;
        }
        let _ = match &self.socket {
            Watched::Tcp(socket) => SockRef::from(socket).shutdown(Shutdown::Both),
            Watched::Unix(socket) => SockRef::from(socket).shutdown(Shutdown::Both),
        };
    }
}

fn tcp(address: std::net::SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `[::]:80` and `0.0.0.0:80` are two addresses, whatever the system's default is.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Removes the file that a server left behind which has not ended well. One that still answers is in use, and
/// what is no socket is not ours to remove.
fn make_way(path: &Path, address: &Address) -> Result<()> {
    let busy = |what: &str| Err(Error::new(ErrorKind::Busy, format!("listening on {address}: {what}")));
    match fs::symlink_metadata(path) {
        Ok(meta) if !meta.file_type().is_socket() => busy("there is a file that is no socket"),
        Ok(_) => match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path).map_err(|error| Error::io(&format!("removing {address}"), &error))
            }
            _ => busy("another server listens there"),
        },
        Err(_) => Ok(()),
    }
}

fn unix(path: &Path, mode: u32) -> io::Result<(UnixListener, File)> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let meta = fs::symlink_metadata(path)?;
    let file = File { path: path.to_owned(), device: meta.dev(), inode: meta.ino() };
    // Nobody can connect before it listens.
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok((socket.into(), file))
}

fn inherited(fd: i32) -> io::Result<Listening> {
    let socket = Socket::from(sys::duplicate(fd)?);
    if !socket.is_listener()? || socket.r#type()? != Type::STREAM {
        return Err(io::Error::other("the descriptor is not a stream socket that listens"));
    }
    socket.set_nonblocking(true)?;
    match socket.domain()? {
        Domain::IPV4 | Domain::IPV6 => Ok(Listening::Tcp(socket.into())),
        Domain::UNIX => Ok(Listening::Unix(socket.into())),
        _ => Err(io::Error::other("the descriptor is neither an IP socket nor a Unix socket")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("wsgate-{name}-{}.sock", std::process::id()))
    }

    fn bind(path: &Path) -> Result<Bound> {
        Bound::bind(&Address::Unix(path.to_owned()), 0o640)
    }

    #[test]
    fn a_unix_socket_has_its_mode_and_its_file_goes_with_it() {
        let path = path("mode");
        let bound = bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(bound.port(), None);
        UnixStream::connect(&path).unwrap();
        drop(bound);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_file_makes_way_and_one_in_use_does_not() {
        let path = path("stale");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "the standard library leaves it");
        let bound = bind(&path).unwrap();
        assert_eq!(bind(&path).unwrap_err().kind(), ErrorKind::Busy);
        drop(bound);
        fs::write(&path, "precious").unwrap();
        assert_eq!(bind(&path).unwrap_err().kind(), ErrorKind::Busy);
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn the_file_of_who_came_next_stays() {
        let path = path("next");
        let bound = bind(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let next = bind(&path).unwrap();
        drop(bound);
        assert!(path.exists());
        drop(next);
    }

    #[test]
    fn an_inherited_socket_is_shared_and_must_listen() {
        let original = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = original.local_addr().unwrap().port();
        let bound = Bound::bind(&Address::Inherited(original.as_raw_fd()), 0).unwrap();
        assert_eq!(bound.port(), Some(port));
        drop(bound);
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let connected = UnixStream::pair().unwrap();
        for fd in [connected.0.as_raw_fd(), 999_999] {
            assert!(Bound::bind(&Address::Inherited(fd), 0).is_err());
        }
    }
}
