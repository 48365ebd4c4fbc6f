//! A client without a library: it can send what a library would not, and when it would not.

use std::io::{Error, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

use wsgate::Server;

use super::served::PATIENCE;

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// The handshake of RFC 6455 §1.3.
pub(crate) const HANDSHAKE: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// A whole message, or a message's last frame.
pub(crate) fn frame(opcode: u8, data: &[u8]) -> Vec<u8> {
    masked(FIN | opcode, data)
}

/// A frame that others of the same message follow.
pub(crate) fn fragment(opcode: u8, data: &[u8]) -> Vec<u8> {
    masked(opcode, data)
}

fn masked(first: u8, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match data.len() {
        length @ 0..=125 => frame.push(MASKED | length as u8),
        length @ 126..=0xFFFF => {
            frame.push(MASKED | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(MASKED | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(data.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A Close frame with a code and no reason.
pub(crate) fn close(code: u16) -> Vec<u8> {
    frame(CLOSE, &code.to_be_bytes())
}

/// A connection that has been upgraded.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    /// The message whose fragments are arriving.
    message: Option<(u8, Vec<u8>)>,
}

impl Peer {
    pub(crate) fn connect(server: &Server) -> Self {
        Self::connect_early(server, &[])
    }

    /// Sends `early` together with the handshake's request.
    pub(crate) fn connect_early(server: &Server, early: &[u8]) -> Self {
        Self::try_connect(server, early).unwrap()
    }

    /// An error when the server stops meanwhile.
    pub(crate) fn try_connect(server: &Server, early: &[u8]) -> Result<Self> {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port(0).unwrap()))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(&[HANDSHAKE, early].concat())?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            head.extend(byte);
        }
        match String::from_utf8_lossy(&head) {
            head if head.starts_with("HTTP/1.1 101") => Ok(Self { stream, message: None }),
            head => Err(Error::other(head)),
        }
    }

    pub(crate) fn send(&mut self, opcode: u8, data: &[u8]) {
        self.write(&frame(opcode, data)).unwrap();
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next message, whole, or control frame: its opcode and data.
    pub(crate) fn receive(&mut self) -> Result<(u8, Vec<u8>)> {
        loop {
            let (fin, opcode, data) = self.receive_frame()?;
            match (&mut self.message, opcode) {
                (_, CLOSE..) => return Ok((opcode, data)),
                (Some((_, so_far)), CONTINUATION) => so_far.extend(data),
                (None, 1..) => self.message = Some((opcode, data)),
                _ => return Err(Error::other("a fragment out of place")),
            }
            if let Some(message) = self.message.take_if(|_| fin) {
                return Ok(message);
            }
        }
    }

    /// The next frame: whether it is a message's last, its opcode and data.
    pub(crate) fn receive_frame(&mut self) -> Result<(bool, u8, Vec<u8>)> {
        let [first, length] = self.array()?;
        let length = match length {
            126 => u16::from_be_bytes(self.array()?).into(),
            127 => u64::from_be_bytes(self.array()?),
            length => length.into(),
        };
        let mut data = vec![0; length as usize];
        self.stream.read_exact(&mut data)?;
        Ok((first & FIN != 0, first & 0x0F, data))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether bytes have come.
    pub(crate) fn has_some(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let came = matches!(self.stream.peek(&mut [0]), Ok(1));
        self.stream.set_nonblocking(false).unwrap();
        came
    }

    /// Whether bytes come within a moment.
    pub(crate) fn has_more(&self) -> bool {
        self.stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let came = matches!(self.stream.peek(&mut [0]), Ok(1));
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        came
    }

    /// Reads whatever comes until the connection ends.
    pub(crate) fn read_to_end(&mut self) {
        let mut sink = vec![0; 1 << 16];
        while matches!(self.stream.read(&mut sink), Ok(1..)) {}
    }
}
