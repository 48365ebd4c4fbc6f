//! What clients do: they come, and go in every way.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

const HANDSHAKE: &str = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A masked frame of the key 0, under which bytes stay what they are.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

/// Comes, says something in the same write as its handshake, reads for a while, and goes in one of five ways.
pub(crate) fn visit(port: u16, n: u64) -> Result<()> {
    let mut stream = connect(port)?;
    let mut said = HANDSHAKE.as_bytes().to_vec();
    for _ in 0..n % 20 {
        said.extend(frame(0x82, b"to be echoed"));
    }
    stream.write_all(&said)?;
    let mut buffer = vec![0; 32 << 10];
    for _ in 0..n % 7 {
        if stream.read(&mut buffer)? == 0 {
            return Ok(());
        }
        stream.write_all(&frame(0x01, b"in "))?;
        stream.write_all(&[frame(0x89, b"between"), frame(0x80, b"two")].concat())?;
    }
    match n % 5 {
        0 => {
            stream.write_all(&frame(0x88, &[3, 232]))?;
            while stream.read(&mut buffer)? > 0 {}
        }
        1 => stream.shutdown(Shutdown::Write)?,
        2 => stream.write_all(b"\xff\xff no frame at all")?,
        3 => while stream.read(&mut buffer)? > 0 {},
        // What it has not read makes the end a reset.
        _ => {}
    }
    Ok(())
}

/// Says some of a handshake, or all of it and a word, and stays.
pub(crate) fn linger(port: u16, n: u64) -> Result<TcpStream> {
    let mut stream = connect(port)?;
    let said = [HANDSHAKE.as_bytes(), &frame(0x82, b"to be echoed")].concat();
    let some = said.len() * (n as usize % 4 + 1) / 4;
    stream.write_all(&said[..some])?;
    Ok(stream)
}

fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    Ok(stream)
}
