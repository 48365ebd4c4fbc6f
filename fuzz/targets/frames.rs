//! The frame parser, with and without permessage-deflate: what a peer's bytes say does not depend on how they are
//! cut into pieces, nor on whether messages are told whole or in chunks, keeps to the limits, and is, without the
//! extension, what a plain reading of RFC 6455 §5 says.
//!
//! Input: one byte of options, four sizes of pieces, then the peer's bytes.
#![no_main]

#[path = "frames/reference.rs"]
mod reference;

use libfuzzer_sys::fuzz_target;
use wsgate::protocol::{Codec, Decoder, Item, Limits};

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

/// With `chunk`, messages are told in chunks of at most so many bytes, and put together here.
fn decode<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    limits: &Limits,
    mut codec: Option<Codec>,
    chunk: Option<usize>,
) -> Said {
    let mut decoder = Decoder::default();
    let mut said = Said::default();
    let mut message = None;
    let (mut buffer, mut inflated) = (Vec::new(), Vec::new());
    for piece in pieces {
        buffer.clear();
        buffer.extend_from_slice(piece);
        let mut at = 0;
        loop {
            let left = buffer.len() - at;
            let is_behind = decoder.is_behind();
            if left == 0 && !is_behind {
                break;
            }
            inflated.clear();
            if let Some(chunk) = chunk {
                decoder.stream(chunk);
            }
            match decoder.next(&mut buffer[at..], limits, codec.as_mut(), &mut inflated) {
                Ok((0, None)) if left > 0 && !is_behind => panic!("bytes were left behind"),
                Ok((taken, None)) => at += taken,
                Ok((taken, Some(item))) => {
                    assert!(taken > 0 || is_behind || message.is_some(), "said something out of nothing");
                    at += taken;
                    said.items.push(match item {
                        Item::Begin { binary } => {
                            let kind = if binary { Kind::Binary } else { Kind::Text };
                            assert!(message.replace((kind, Vec::new())).is_none(), "begun within another");
                            continue;
                        }
                        Item::Chunk(data) => {
                            assert!(
                                (1..=chunk.unwrap_or(0)).contains(&data.len()),
                                "a chunk of a wrong size"
                            );
                            let (_, so_far) = message.as_mut().expect("a chunk of nothing");
                            so_far.extend_from_slice(data);
                            assert!(so_far.len() as u64 <= limits.message, "over its limit");
                            continue;
                        }
                        Item::End => {
                            let message = message.take().expect("the end of nothing");
                            assert!(message.0 != Kind::Text || std::str::from_utf8(&message.1).is_ok());
                            message
                        }
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
    for (kind, data) in &said.items {
        let longest = if matches!(kind, Kind::Text | Kind::Binary) { limits.message } else { 125 };
        assert!(data.len() as u64 <= longest, "over its limit");
    }
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
        0 => Limits { message: 1 << 30, frame: 1 << 30, fragments: 1 << 16, text_only: false },
        1 => Limits { message: 200, frame: 100, fragments: 3, text_only: false },
        2 => Limits { message: 16, frame: 200, fragments: 2, text_only: false },
        _ => Limits { message: 60, frame: 50, fragments: 9, text_only: true },
    };
    let codec = || (options & 4 != 0).then(|| Codec::fuzzed(options & 8 != 0, u32::from(options >> 4)));
    let pieces = || Pieces { rest: bytes, sizes: [a, b, c, d], turn: 0 };
    let whole = decode(std::iter::once(bytes), &limits, codec(), None);
    assert_eq!(decode(pieces(), &limits, codec(), None), whole, "in pieces");
    let chunked = decode(pieces(), &limits, codec(), Some(usize::from(d).max(1)));
    if codec().is_none() {
        assert_eq!(whole, reference::read(bytes, &limits), "by the RFC");
        assert_eq!(chunked, whole, "in chunks");
    } else {
        // What is inflated as it comes may be refused before it is complete.
        assert!(whole.items.starts_with(&chunked.items), "in chunks");
        assert!(chunked.failure.is_some() || chunked == whole, "in chunks");
    }
});
