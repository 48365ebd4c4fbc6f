//! Compressed messages in parts, both ways, byte for byte: the peer's contexts are flate2's.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use proptest::prelude::*;
use wsgate::{ClientId, Config, Delivery, Event, Handle, Kind, Server, event};

const PATIENCE: Duration = Duration::from_secs(20);
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const COMPRESSED: u8 = 0x40;
const FIN: u8 = 0x80;

/// Sends everything back as it comes.
fn echo(server: &Handle, event: &Event<'_>) {
    let (client, binary) = (ClientId(event.client), event.flags & event::FLAG_BINARY != 0);
    match event.kind {
        Kind::Message if binary => server.send_binary(client, event.data),
        Kind::Message => server.send_text(client, event.data),
        Kind::Begin if binary => server.begin_binary(client),
        Kind::Begin => server.begin_text(client),
        Kind::Chunk => server.send_chunk(client, event.data),
        Kind::End => server.end_message(client, b""),
        _ => Ok(()),
    }
    .unwrap();
}

fn start(takeover: bool) -> Server {
    let mut config = Config::new();
    config.listen("127.0.0.1:0").unwrap();
    config.set_workers(1).unwrap();
    let endpoint = config.add_endpoint("/").unwrap();
    config.set_rate_limit(endpoint, 0, 0).unwrap();
    config.set_streaming(endpoint, true).unwrap();
    config.set_compression(endpoint, 6).unwrap();
    config.set_compression_takeover(endpoint, takeover, takeover).unwrap();
    config.set_compression_window(endpoint, 15, 15).unwrap();
    config.set_compression_of(endpoint, 0, true, true).unwrap();
    Server::start(config, Delivery::push(echo)).unwrap()
}

struct Peer {
    stream: TcpStream,
    takeover: bool,
    deflater: Compress,
    inflater: Decompress,
}

impl Peer {
    fn connect(server: &Server, takeover: bool) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port(0).unwrap())).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(
                b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=15\r\n\r\n",
            )
            .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.contains("permessage-deflate"), "{head}");
        assert_eq!(head.contains("no_context_takeover"), !takeover, "{head}");
        Self {
            stream,
            takeover,
            deflater: Compress::new(Compression::new(6), false),
            inflater: Decompress::new(false),
        }
    }

    /// Sends a message cut at these places, each part a frame of its own, in one write or in as many.
    fn send(&mut self, opcode: u8, parts: &[&[u8]], at_once: bool) {
        let mut bytes = Vec::new();
        if !self.takeover {
            self.deflater.reset();
        }
        for (number, part) in parts.iter().enumerate() {
            let is_last = number + 1 == parts.len();
            let mut packed = Vec::with_capacity(part.len() + part.len() / 100 + 64);
            self.deflater.compress_vec(part, &mut packed, FlushCompress::Sync).unwrap();
            if is_last {
                // What is missing at a message's end, whatever was flushed before.
                packed.truncate(packed.len().saturating_sub(if packed.ends_with(&TAIL) { 4 } else { 0 }));
                if packed.is_empty() {
                    packed.push(0);
                }
            }
            let first = if number == 0 { opcode | COMPRESSED } else { 0 };
            bytes.push(first | if is_last { FIN } else { 0 });
            match packed.len() {
                length @ ..126 => bytes.push(0x80 | length as u8),
                length @ ..65536 => {
                    bytes.push(0x80 | 126);
                    bytes.extend((length as u16).to_be_bytes());
                }
                length => {
                    bytes.push(0x80 | 127);
                    bytes.extend((length as u64).to_be_bytes());
                }
            }
            bytes.extend([0; 4]);
            bytes.extend(packed);
            if !at_once {
                self.stream.write_all(&bytes).unwrap();
                bytes.clear();
            }
        }
        self.stream.write_all(&bytes).unwrap();
    }

    /// Receives a message, inflated.
    fn receive(&mut self) -> (u8, Vec<u8>) {
        let (mut opcode, mut is_packed, mut payload) = (0, false, Vec::new());
        loop {
            let mut head = [0; 2];
            self.stream.read_exact(&mut head).unwrap();
            let mut extended = [0; 8];
            let length = match head[1] {
                126 => {
                    self.stream.read_exact(&mut extended[6..]).unwrap();
                    u64::from_be_bytes(extended)
                }
                127 => {
                    self.stream.read_exact(&mut extended).unwrap();
                    u64::from_be_bytes(extended)
                }
                length => length.into(),
            };
            if head[0] & 0x0f != 0 {
                (opcode, is_packed) = (head[0] & 0x0f, head[0] & COMPRESSED != 0);
            }
            let before = payload.len();
            payload.resize(before + length as usize, 0);
            self.stream.read_exact(&mut payload[before..]).unwrap();
            if head[0] & FIN != 0 {
                return (opcode, if is_packed { self.inflate(&payload) } else { payload });
            }
        }
    }

    fn inflate(&mut self, payload: &[u8]) -> Vec<u8> {
        if !self.takeover {
            self.inflater.reset(false);
        }
        let (input, mut message) = ([payload, &TAIL].concat(), Vec::new());
        let before = self.inflater.total_in();
        loop {
            message.reserve(64 << 10);
            let taken = (self.inflater.total_in() - before) as usize;
            let had = message.len();
            self.inflater.decompress_vec(&input[taken..], &mut message, FlushDecompress::Sync).unwrap();
            let taken = (self.inflater.total_in() - before) as usize;
            if taken == input.len() && message.len() < message.capacity() || message.len() == had {
                return message;
            }
        }
    }
}

/// Letters of one byte to four, or any bytes, that recur in parts.
fn content(opcode: u8) -> BoxedStrategy<Vec<u8>> {
    let unit = match opcode {
        TEXT => "[a-zé漢😀]{0,400}".prop_map(String::into_bytes).boxed(),
        _ => proptest::collection::vec(any::<u8>(), 0..1500).boxed(),
    };
    (unit, 1..120usize).prop_map(|(unit, times)| unit.repeat(times)).boxed()
}

fn message() -> impl Strategy<Value = (u8, Vec<u8>, Vec<usize>, bool)> {
    prop_oneof![Just(TEXT), Just(BINARY)].prop_flat_map(|opcode| {
        let cuts = proptest::collection::vec(any::<prop::sample::Index>(), 0..5);
        (Just(opcode), content(opcode), cuts, any::<bool>()).prop_map(|(opcode, content, cuts, at_once)| {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(content.len() + 1)).collect();
            cuts.sort_unstable();
            (opcode, content, cuts, at_once)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_streamed_compressed_comes_back_byte_for_byte(
        takeover: bool,
        messages in proptest::collection::vec(message(), 1..12),
    ) {
        let server = start(takeover);
        let mut peer = Peer::connect(&server, takeover);
        for (opcode, content, cuts, at_once) in messages {
            let bounds: Vec<usize> = [0].into_iter().chain(cuts).chain([content.len()]).collect();
            let parts: Vec<&[u8]> = bounds.windows(2).map(|pair| &content[pair[0]..pair[1]]).collect();
            peer.send(opcode, &parts, at_once);
            let (kind, came) = peer.receive();
            let length = came.len();
            prop_assert!((kind, came) == (opcode, content), "{bounds:?} came back as {kind}, {length} bytes");
        }
        server.stop(Duration::ZERO).unwrap();
        server.join().unwrap();
    }
}
