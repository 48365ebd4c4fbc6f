//! The frame parser: what a peer's bytes say does not depend on how they are cut into pieces, and is what a
//! plain reading of RFC 6455 §5 says.
//!
//! Input: one byte of options, four sizes of pieces, then the peer's bytes.
#![no_main]

#[path = "frames/reference.rs"]
mod reference;

use libfuzzer_sys::fuzz_target;
use wsgate::protocol::{Codec, Decoder, Failure, Item, Limits};

/// What was said, in order, and the close code that ended it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    items: Vec<(Kind, Vec<u8>)>,
    failure: Option<u16>,
    frames: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
    Ping,
    Pong,
    Close,
}

/// Stands for an extension: each byte becomes two, so that limits count what came out.
struct Doubling;

impl Codec for Doubling {
    fn decode(&mut self, piece: &[u8], _: bool, out: &mut Vec<u8>, limit: u64) -> Result<(), Failure> {
        for byte in piece {
            if out.len() as u64 + 2 > limit {
                return Err(Failure::too_big("message too big"));
            }
            out.extend([*byte, *byte]);
        }
        Ok(())
    }

    fn encode(&mut self, _: &[u8], _: &mut Vec<u8>) -> bool {
        false
    }
}

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>, limits: &Limits, codec: bool) -> Said {
    let mut decoder = Decoder::default();
    let mut doubling = Doubling;
    let mut said = Said::default();
    let mut buffer = Vec::new();
    for piece in pieces {
        buffer.clear();
        buffer.extend_from_slice(piece);
        let mut at = 0;
        loop {
            let codec = codec.then_some(&mut doubling as &mut dyn Codec);
            match decoder.next(&mut buffer[at..], limits, codec) {
                Ok((taken, None)) => {
                    assert_eq!(at + taken, buffer.len(), "bytes were left behind");
                    break;
                }
                Ok((taken, Some(item))) => {
                    assert!(taken > 0 || piece.is_empty(), "said something out of nothing");
                    at += taken;
                    said.items.push(match item {
                        Item::Message { binary: false, data } => {
                            assert!(std::str::from_utf8(data).is_ok(), "text is not UTF-8");
                            (Kind::Text, data.to_vec())
                        }
                        Item::Message { binary: true, data } => (Kind::Binary, data.to_vec()),
                        Item::Ping(data) => (Kind::Ping, data.to_vec()),
                        Item::Pong(data) => (Kind::Pong, data.to_vec()),
                        Item::Close(data) => (Kind::Close, data.to_vec()),
                    });
                }
                Err(failure) => {
                    said.failure = Some(failure.code);
                    said.frames = decoder.frames();
                    return said;
                }
            }
        }
    }
    said.frames = decoder.frames();
    said
}

/// Cuts at the sizes, one after the other, again and again; 0 is a piece of everything that is left.
struct Pieces<'a> {
    rest: &'a [u8],
    sizes: [u8; 4],
    turn: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let size = match self.sizes[self.turn % 4] {
            0 => self.rest.len(),
            size => usize::from(size).min(self.rest.len()),
        };
        self.turn += 1;
        let (piece, rest) = self.rest.split_at(size);
        self.rest = rest;
        Some(piece)
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((&[options, a, b, c, d], bytes)) = input.split_first_chunk::<5>() else { return };
    let limits = match options & 3 {
        0 => Limits { message: 1 << 30, frame: 1 << 30, fragments: 1 << 16 },
        1 => Limits { message: 200, frame: 100, fragments: 3 },
        2 => Limits { message: 16, frame: 200, fragments: 2 },
        _ => Limits { message: 1, frame: 1, fragments: 1 },
    };
    let codec = options & 4 != 0;
    // Where inflating makes a text both wrong and too big, the pieces decide which of the two is seen first.
    let settle = |said: Said| Said {
        failure: said.failure.map(|code| if codec && code == 1007 { 1009 } else { code }),
        ..said
    };
    let expected = settle(reference::read(bytes, &limits, codec));
    assert_eq!(settle(decode(std::iter::once(bytes), &limits, codec)), expected, "in one piece");
    let pieces = Pieces { rest: bytes, sizes: [a, b, c, d], turn: 0 };
    assert_eq!(settle(decode(pieces, &limits, codec)), expected, "in pieces");
});
