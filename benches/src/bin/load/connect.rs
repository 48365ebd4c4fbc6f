//! Connects many clients, and takes leave of the server again.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::frames::append_masked;

/// How many handshakes are under way at a time; below any server's listen backlog.
const HANDSHAKES: usize = 64;
/// Clients of one loopback source address. It has some 28,000 ephemeral ports, half of which are found quickly.
const CLIENTS_PER_ADDRESS: usize = 5_000;
const LOCALHOST: [u8; 4] = [127, 0, 0, 1];

/// Connects and upgrades `count` clients.
pub(crate) fn connect(
    port: u16,
    count: usize,
    deflate: bool,
    deadline: Instant,
) -> io::Result<Vec<TcpStream>> {
    connect_all(port, count, deflate, None, deadline)
}

/// The same, with so much room for what they do not read.
pub(crate) fn connect_with_room(
    port: u16,
    count: usize,
    room: usize,
    deadline: Instant,
) -> io::Result<Vec<TcpStream>> {
    connect_all(port, count, false, Some(room), deadline)
}

fn connect_all(
    port: u16,
    count: usize,
    deflate: bool,
    room: Option<usize>,
    deadline: Instant,
) -> io::Result<Vec<TcpStream>> {
    allow_descriptors(count)?;
    let mut sockets = Vec::with_capacity(count);
    while sockets.len() < count {
        let from = sockets.len();
        for index in from..count.min(from + HANDSHAKES) {
            let source = (count > CLIENTS_PER_ADDRESS).then_some(1 + index / CLIENTS_PER_ADDRESS);
            sockets.push(request(port, source, deflate, room, deadline)?);
        }
        for socket in &mut sockets[from..] {
            finish_handshake(socket, deflate)?;
        }
    }
    Ok(sockets)
}

/// Takes leave of the server: Close both ways and its end of the stream, so that it is idle again afterwards.
pub(crate) fn close(sockets: Vec<TcpStream>) {
    let deadline = Instant::now() + Duration::from_secs(2);
    let mut frame = Vec::new();
    append_masked(&mut frame, 8, &1000u16.to_be_bytes(), [1, 2, 3, 4]);
    for socket in &sockets {
        // A server that is gone already needs no goodbye.
        let _ = socket.set_nonblocking(false).and_then(|()| (&*socket).write_all(&frame));
        // Tens of thousands of ports in TIME_WAIT would make the next run's `connect` search for long.
        let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
    }
    let mut rest = [0; 4096];
    for mut socket in &sockets {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let bounded = !left.is_zero() && socket.set_read_timeout(Some(left)).is_ok();
            if !bounded || !matches!(socket.read(&mut rest), Ok(1..)) {
                break;
            }
        }
    }
}

fn request(
    port: u16,
    source: Option<usize>,
    deflate: bool,
    room: Option<usize>,
    deadline: Instant,
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    // Before it is connected: the window that is offered to the peer is made of it.
    if let Some(room) = room {
        socket.set_recv_buffer_size(room)?;
    }
    if let Some(last) = source {
        let address = Ipv4Addr::new(127, 0, 0, last as u8);
        socket.bind(&SocketAddr::from((address, 0)).into())?;
    }
    let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    socket.connect_timeout(&SocketAddr::from((LOCALHOST, port)).into(), left)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_read_timeout(Some(left))?;
    let mut socket = TcpStream::from(socket);
    let extensions =
        if deflate { "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" } else { "" };
    let request = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extensions}\r\n"
    );
    socket.write_all(request.as_bytes())?;
    Ok(socket)
}

/// Reads the response, and not a byte further: what follows is the first frame.
fn finish_handshake(socket: &mut TcpStream, deflate: bool) -> io::Result<()> {
    // The answer to the key above, which is the example of RFC 6455 §1.3.
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    let mut response = [0; 4096];
    let mut length = 0;
    let end = loop {
        let read = socket.peek(&mut response[length..])?;
        if read == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server hung up during the handshake"));
        }
        let end = response[..length + read].windows(4).position(|window| window == b"\r\n\r\n");
        let head = end.map_or(read, |end| end + 4 - length);
        socket.read_exact(&mut response[length..length + head])?;
        length += head;
        if end.is_some() {
            break length;
        }
    };
    let response = String::from_utf8_lossy(&response[..end]);
    if !response.starts_with("HTTP/1.1 101 ") || !response.contains(ACCEPT) {
        let line = response.lines().next().unwrap_or_default();
        return Err(io::Error::other(format!("the handshake failed: {line}")));
    }
    if deflate && !response.contains("permessage-deflate") {
        return Err(io::Error::other("the server does not compress"));
    }
    Ok(())
}

/// Raises the soft limit of open files to the hard one, and says so if that is not enough.
fn allow_descriptors(clients: usize) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid place for the answer.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is initialised.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let needed = clients as u64 + 16;
    if needed > limit.rlim_max {
        let text =
            format!("{clients} clients need {needed} open files, the hard limit is {}", limit.rlim_max);
        return Err(io::Error::other(text));
    }
    Ok(())
}
