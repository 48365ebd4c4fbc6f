//! What goes out, prepared once, and what must come back.
//!
//! Messages are numbered; message `n` of a client carries the payload `n % count`, so that a lost, doubled or swapped
//! answer shows, and no client ever builds or masks a frame while it is being timed.

use std::io::IoSlice;

use crate::deflate;
use crate::json::json;
use crate::options::Kind;

/// Distinct payloads. Enough to tell neighbours apart, few enough to stay in the cache at 16 KiB each.
const COUNT: usize = 8;
/// Compressed payloads come again farther apart than the longest window, 32 KiB, reaches: who has it must not find them
/// whole in it.
const APART: usize = 64 << 10;
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
const RSV1: u8 = 0x40;

/// Masked frames in a row, to be sent round and round.
pub(crate) struct Ring {
    bytes: Vec<u8>,
    /// Where each message of a round begins, and where the next round does.
    starts: Vec<usize>,
    payloads: Vec<Vec<u8>>,
    /// Of a first frame: opcode, and RSV1 where messages are compressed.
    first: u8,
}

impl Ring {
    /// Long enough for a burst of `depth` messages to be two slices at most.
    pub(crate) fn new(kind: Kind, deflate: bool, size: usize, depth: usize) -> Self {
        let make = if deflate { json } else { payload };
        let count = if deflate { COUNT.max(APART / size.max(1)) } else { COUNT };
        let payloads: Vec<Vec<u8>> = (0..count).map(|number| make(number, size)).collect();
        let first = if deflate { kind.opcode() | RSV1 } else { kind.opcode() };
        let mut bytes = Vec::new();
        let mut starts = vec![0; count + 1];
        for number in 0..depth.next_multiple_of(count) {
            let payload = &payloads[number % count];
            let packed = deflate.then(|| deflate::pack(payload));
            append_masked(
                &mut bytes,
                first,
                packed.as_ref().unwrap_or(payload),
                [0x3a, 0x91, 0xc7, number as u8],
            );
            if let Some(end) = starts.get_mut(number + 1) {
                *end = bytes.len();
            }
        }
        Ring { bytes, starts, payloads, first }
    }

    /// Of a round.
    fn count(&self) -> usize {
        self.payloads.len()
    }

    /// How many bytes so many messages are, from message `number` on.
    pub(crate) fn length(&self, number: usize, messages: usize) -> usize {
        let count = self.count();
        let until = |number: usize| number / count * self.starts[count] + self.starts[number % count];
        until(number + messages) - until(number)
    }

    /// Where message `number` starts.
    pub(crate) fn position(&self, number: usize) -> usize {
        self.starts[number % self.count()]
    }

    /// The next `len` bytes from `position`, for one `writev`.
    pub(crate) fn slices(&self, position: usize, len: usize) -> [IoSlice<'_>; 2] {
        let until_end = len.min(self.bytes.len() - position);
        [&self.bytes[position..position + until_end], &self.bytes[..len - until_end]].map(IoSlice::new)
    }

    /// The position `len` bytes after `position`.
    pub(crate) fn advance(&self, position: usize, len: usize) -> usize {
        (position + len) % self.bytes.len()
    }
}

/// Appends one masked frame (RFC 6455 §5.3).
pub(crate) fn append_masked(out: &mut Vec<u8>, opcode: u8, payload: &[u8], mask: [u8; 4]) {
    out.push(FIN | opcode);
    match payload.len() {
        len @ 0..126 => out.push(MASKED | len as u8),
        len @ 126..0x1_0000 => {
            out.push(MASKED | 126);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(MASKED | 127);
            out.extend((len as u64).to_be_bytes());
        }
    }
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// Printable ASCII, so that it may be sent as text; it differs from the other payloads in its first byte already.
fn payload(number: usize, size: usize) -> Vec<u8> {
    (0..size).map(|at| b'a' + ((number + at * 7) % 26) as u8).collect()
}

/// One client's answers, taken as the bytes come: counts messages and refuses what was not sent.
pub(crate) struct Incoming {
    /// The number of the next message to come, of a round.
    next: usize,
    /// A frame header of which a part is still to come.
    partial: Vec<u8>,
    /// Payload bytes of the current frame that are still to come.
    remaining: usize,
    /// Payload bytes of the current message that were seen.
    received: usize,
    /// The current message has further frames to come.
    unfinished: bool,
    /// The current frame is a ping or pong, which may stand between a message's frames.
    control: bool,
    /// Where answers come compressed.
    packed: Option<Packed>,
}

/// Answers that come compressed.
struct Packed {
    inflater: deflate::Inflater,
    /// The current message, while contents are compared.
    message: Vec<u8>,
    /// The current message is compressed.
    is_packed: bool,
}

struct Header {
    opcode: u8,
    rsv1: bool,
    fin: bool,
    length: usize,
    size: usize,
}

impl Incoming {
    /// Expects message `first` next.
    pub(crate) fn new(first: usize, ring: &Ring) -> Self {
        let packed = (ring.first & RSV1 != 0).then(|| Packed {
            inflater: deflate::Inflater::new(),
            message: Vec::new(),
            is_packed: false,
        });
        Incoming {
            next: first % ring.count(),
            partial: Vec::new(),
            remaining: 0,
            received: 0,
            unfinished: false,
            control: false,
            packed,
        }
    }

    /// Takes what was read and returns how many messages it completed. Opcodes and lengths are always verified,
    /// contents if `compare` says so.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], ring: &Ring, compare: bool) -> Result<usize, String> {
        let mut messages = 0;
        loop {
            if self.remaining > 0 {
                let (payload, rest) = bytes.split_at(self.remaining.min(bytes.len()));
                bytes = rest;
                self.remaining -= payload.len();
                if !self.control {
                    self.take_payload(payload, ring, compare)?;
                }
                if self.remaining > 0 {
                    return Ok(messages);
                }
                messages += self.end_frame(ring, compare)?;
            }
            let Some(header) = self.take_header(&mut bytes)? else { return Ok(messages) };
            self.begin_frame(&header, ring)?;
            if header.length == 0 {
                messages += self.end_frame(ring, compare)?;
            }
        }
    }

    fn take_payload(&mut self, payload: &[u8], ring: &Ring, compare: bool) -> Result<(), String> {
        if let Some(packed) = &mut self.packed {
            if compare {
                packed.message.extend_from_slice(payload);
            }
            return Ok(());
        }
        let expected = &ring.payloads[self.next];
        let end = self.received + payload.len();
        if end > expected.len() {
            return Err(format!("a message of {end} bytes or more came back, not of {}", expected.len()));
        }
        if compare && payload != &expected[self.received..end] {
            return Err(format!("wrong contents between the bytes {} and {end}", self.received));
        }
        self.received = end;
        Ok(())
    }

    fn begin_frame(&mut self, header: &Header, ring: &Ring) -> Result<(), String> {
        let wanted = if self.unfinished { 0 } else { ring.first & 0x0f };
        if let Some(packed) = self.packed.as_mut().filter(|_| !self.unfinished && header.opcode < 8) {
            packed.is_packed = header.rsv1;
        } else if header.rsv1 {
            return Err("a frame with RSV1 came back".into());
        }
        self.control = match header.opcode {
            8 => return Err("the server sent Close".into()),
            // Not answered: a run is shorter than any server's patience.
            9 | 10 => true,
            opcode if opcode == wanted => false,
            opcode => return Err(format!("a frame with opcode {opcode} came back, not {wanted}")),
        };
        if !self.control {
            self.unfinished = !header.fin;
        }
        self.remaining = header.length;
        Ok(())
    }

    fn end_frame(&mut self, ring: &Ring, compare: bool) -> Result<usize, String> {
        if self.control || self.unfinished {
            return Ok(0);
        }
        if let Some(Packed { inflater, message, is_packed }) = &mut self.packed {
            if compare {
                let whole = if *is_packed { inflater.inflate(message)? } else { message.clone() };
                message.clear();
                if whole != ring.payloads[self.next] {
                    return Err(format!("another message of {} bytes came back", whole.len()));
                }
            }
            self.next = (self.next + 1) % ring.count();
            return Ok(1);
        }
        let expected = ring.payloads[self.next].len();
        if self.received != expected {
            return Err(format!("a message of {} bytes came back, not of {expected}", self.received));
        }
        self.received = 0;
        self.next = (self.next + 1) % ring.count();
        Ok(1)
    }

    fn take_header(&mut self, bytes: &mut &[u8]) -> Result<Option<Header>, String> {
        if self.partial.is_empty() {
            let header = parse_header(bytes)?;
            match &header {
                Some(header) => *bytes = &bytes[header.size..],
                None => self.partial.extend(*bytes),
            }
            return Ok(header);
        }
        while let Some((first, rest)) = bytes.split_first() {
            *bytes = rest;
            self.partial.push(*first);
            if let Some(header) = parse_header(&self.partial)? {
                self.partial.clear();
                return Ok(Some(header));
            }
        }
        Ok(None)
    }
}

/// The header at the beginning of `bytes` (RFC 6455 §5.2), if it is there as a whole.
fn parse_header(bytes: &[u8]) -> Result<Option<Header>, String> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if first & 0x30 != 0 {
        return Err("a reserved bit is set, and no extension was agreed on".into());
    }
    if second & MASKED != 0 {
        return Err("the server masked a frame".into());
    }
    let (length, size) = match second {
        126 => match rest.first_chunk::<2>() {
            Some(length) => (usize::from(u16::from_be_bytes(*length)), 4),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(length) => (u64::from_be_bytes(*length) as usize, 10),
            None => return Ok(None),
        },
        short => (usize::from(*short), 2),
    };
    Ok(Some(Header { opcode: first & 0x0f, rsv1: first & RSV1 != 0, fin: first & FIN != 0, length, size }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an echo server answers to the messages from `first` on.
    fn answers(ring: &Ring, first: usize, count: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for number in first..first + count {
            let payload = &ring.payloads[number % ring.count()];
            out.extend(frame(FIN | ring.first, payload));
        }
        out
    }

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![first];
        match payload.len() {
            len @ 0..126 => out.push(len as u8),
            len => {
                out.push(126);
                out.extend((len as u16).to_be_bytes());
            }
        }
        out.extend(payload);
        out
    }

    #[test]
    fn answers_are_counted_wherever_the_stream_is_cut() {
        for size in [0, 5, 125, 126, 1000] {
            let ring = Ring::new(Kind::Text, false, size, 1);
            let stream = answers(&ring, 3, 12);
            for piece in [1, 2, 3, 7, 128, stream.len()] {
                let mut incoming = Incoming::new(3, &ring);
                let counts = stream.chunks(piece).map(|bytes| incoming.feed(bytes, &ring, true).unwrap());
                assert_eq!(counts.sum::<usize>(), 12, "size {size}, pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_fragmented_answer_is_one_message() {
        let ring = Ring::new(Kind::Binary, false, 10, 1);
        let payload = &ring.payloads[0];
        let pieces = [
            frame(2, &payload[..4]),
            frame(FIN | 9, b"ping"),
            frame(0, b""),
            frame(FIN, &payload[4..]),
            frame(FIN | 2, &ring.payloads[1]),
        ];
        assert_eq!(Incoming::new(0, &ring).feed(&pieces.concat(), &ring, true), Ok(2));
    }

    #[test]
    fn what_was_not_sent_is_refused() {
        let ring = Ring::new(Kind::Text, false, 10, 1);
        let refused = |stream: &[u8]| Incoming::new(0, &ring).feed(stream, &ring, true).is_err();
        assert!(refused(&answers(&ring, 1, 1)), "another message");
        assert!(refused(&frame(FIN | 1, &ring.payloads[0][..9])), "shorter");
        assert!(refused(&frame(FIN | 1, &[b'a'; 11])), "longer");
        assert!(refused(&frame(FIN | 2, &ring.payloads[0])), "another kind");
        assert!(refused(&frame(FIN | 0x40 | 1, &ring.payloads[0])), "a reserved bit");
        assert!(refused(&frame(FIN | 8, &[3, 232])), "Close");
        let length_only = Incoming::new(0, &ring).feed(&answers(&ring, 1, 1), &ring, false);
        assert_eq!(length_only, Ok(1), "contents count only when they are compared");
    }

    #[test]
    fn compressed_answers_are_inflated_and_compared() {
        let ring = Ring::new(Kind::Text, true, 1000, 1);
        let answer = |number: usize| frame(FIN | RSV1 | 1, &deflate::pack(&ring.payloads[number]));
        let plain = frame(FIN | 1, &ring.payloads[1]);
        let whole = [answer(0), plain, answer(2)].concat();
        for piece in [1, 100, whole.len()] {
            let mut incoming = Incoming::new(0, &ring);
            let counts = whole.chunks(piece).map(|bytes| incoming.feed(bytes, &ring, true).unwrap());
            assert_eq!(counts.sum::<usize>(), 3, "pieces of {piece}");
        }
        assert!(Incoming::new(0, &ring).feed(&answer(1), &ring, true).is_err(), "another message");
        let round = ring.count();
        assert!(round * 1000 > 2 * 32_000, "no window reaches the round before");
        assert!(ring.length(3, 8) < 8 * 1000);
        assert_eq!(ring.length(0, round + 1) - ring.length(0, round), ring.length(round, 1));
    }

    #[test]
    fn frames_go_out_masked_and_in_order() {
        let ring = Ring::new(Kind::Text, false, 300, 3);
        let start = ring.position(6);
        let length = ring.length(6, 3);
        let bytes = ring.slices(start, length).map(|slice| slice.to_vec()).concat();
        for (frame, number) in bytes.chunks(length / 3).zip([6, 7, 0]) {
            assert_eq!(frame[..4], [FIN | 1, MASKED | 126, 1, 44]);
            let payload: Vec<u8> =
                frame[8..].iter().zip(frame[4..8].iter().cycle()).map(|(b, k)| b ^ k).collect();
            assert_eq!(payload, ring.payloads[number]);
        }
        assert_eq!(ring.advance(start, length), ring.position(9));
    }
}
