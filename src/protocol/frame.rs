//! The frame header (RFC 6455 §5.2), read and written.

use super::Failure;

/// What a frame is (RFC 6455 §11.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// Goes on with a fragmented message.
    Continuation = 0,
    /// A text message, or its first fragment.
    Text = 1,
    /// A binary message, or its first fragment.
    Binary = 2,
    /// The closing handshake.
    Close = 8,
    /// A ping.
    Ping = 9,
    /// A pong.
    Pong = 10,
}

impl Opcode {
    const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    /// Whether frames of this kind may stand between the fragments of a message.
    pub const fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// The longest header: two bytes, eight of length, four of mask.
pub(super) const MAX_HEADER: usize = 14;

/// A client's frame header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) rsv1: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: [u8; 4],
    pub(super) length: u64,
    /// How many bytes the header itself takes.
    pub(super) size: usize,
}

/// Reads the header of a client's frame, or `None` while more bytes are needed. What can be judged by
/// the bytes at hand is judged at once.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Header>, Failure> {
    let Some(&first) = bytes.first() else { return Ok(None) };
    if first & 0x30 != 0 {
        return Err(Failure::protocol("reserved bit set"));
    }
    let Some(opcode) = Opcode::from_bits(first & 0x0f) else {
        return Err(Failure::protocol("unknown opcode"));
    };
    let (fin, rsv1) = (first & 0x80 != 0, first & 0x40 != 0);
    if opcode.is_control() && !fin {
        return Err(Failure::protocol("fragmented control frame"));
    }
    let Some(&second) = bytes.get(1) else { return Ok(None) };
    if second & 0x80 == 0 {
        return Err(Failure::protocol("unmasked frame"));
    }
    let short = second & 0x7f;
    if opcode.is_control() && short > 125 {
        return Err(Failure::protocol("control frame over 125 bytes"));
    }
    let (length, at) = match short {
        126 => {
            let Some(field) = field::<2>(bytes, 2) else { return Ok(None) };
            (u64::from(u16::from_be_bytes(field)), 4)
        }
        127 => {
            let Some(field) = field::<8>(bytes, 2) else { return Ok(None) };
            (u64::from_be_bytes(field), 10)
        }
        _ => (u64::from(short), 2),
    };
    if length >> 63 != 0 {
        return Err(Failure::protocol("frame length with its highest bit set"));
    }
    if (short == 126 && length < 126) || (short == 127 && length <= 0xffff) {
        return Err(Failure::protocol("frame length not in its shortest form"));
    }
    let Some(mask) = field::<4>(bytes, at) else { return Ok(None) };
    Ok(Some(Header { fin, rsv1, opcode, mask, length, size: at + 4 }))
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// How many bytes the header of a server's frame with this payload takes.
pub(crate) const fn header_size(length: usize) -> usize {
    match length {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    }
}

/// Appends the header of an unfragmented server's frame (unmasked, §5.1).
#[inline]
pub(crate) fn write_header(out: &mut Vec<u8>, opcode: Opcode, rsv1: bool, length: usize) {
    let first = 0x80 | (u8::from(rsv1) << 6) | opcode as u8;
    match length {
        0..=125 => out.extend_from_slice(&[first, length as u8]),
        126..=0xffff => {
            let [high, low] = (length as u16).to_be_bytes();
            out.extend_from_slice(&[first, 126, high, low]);
        }
        _ => {
            out.extend_from_slice(&[first, 127]);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// Appends a whole server's frame.
#[inline]
pub(crate) fn write(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    out.reserve(header_size(payload.len()) + payload.len());
    write_header(out, opcode, false, payload.len());
    out.extend_from_slice(payload);
}

/// Appends a message, in frames of at most `split` bytes of payload (§5.4); RSV1 marks the first.
#[inline]
pub(crate) fn write_message(out: &mut Vec<u8>, opcode: Opcode, rsv1: bool, payload: &[u8], split: usize) {
    let start = out.len();
    if payload.len() <= split {
        write(out, opcode, payload);
    } else {
        write_fragments(out, opcode, payload, split);
    }
    if rsv1 && let Some(first) = out.get_mut(start) {
        *first |= RSV1;
    }
}

#[cold]
fn write_fragments(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], split: usize) {
    let start = out.len();
    write_part(out, payload, true, split);
    mark_first(out.get_mut(start..).unwrap_or_default(), opcode, false);
}

/// Appends a part of a message, the `last` or another, as frames that go on with it, of at most `split` bytes
/// of payload; [`mark_first`] makes them those that begin it.
pub(crate) fn write_part(out: &mut Vec<u8>, payload: &[u8], last: bool, split: usize) {
    out.reserve(message_size(payload.len(), split));
    let mut rest = payload;
    loop {
        let (fragment, after) = rest.split_at(rest.len().min(split.max(1)));
        let header = out.len();
        write_header(out, Opcode::Continuation, false, fragment.len());
        if !(last && after.is_empty())
            && let Some(first) = out.get_mut(header)
        {
            *first &= !FIN;
        }
        out.extend_from_slice(fragment);
        rest = after;
        if rest.is_empty() {
            return;
        }
    }
}

/// Makes a frame that goes on with a message the one that begins it.
pub(crate) fn mark_first(frame: &mut [u8], opcode: Opcode, rsv1: bool) {
    if let Some(first) = frame.first_mut() {
        *first |= opcode as u8 | if rsv1 { RSV1 } else { 0 };
    }
}

/// The payloads of frames of ours.
pub(crate) fn payloads(frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = frames;
    std::iter::from_fn(move || {
        let (frame, after) = rest.split_at_checked(measure(rest)?.length)?;
        rest = after;
        split(frame).map(|(_, payload)| payload)
    })
}

/// How many bytes [`write_message`] appends.
#[inline]
pub(crate) const fn message_size(length: usize, split: usize) -> usize {
    if length <= split {
        return header_size(length) + length;
    }
    let (whole, rest) = (length / split, length % split);
    let last = if rest == 0 { 0 } else { header_size(rest) };
    whole * header_size(split) + last + length
}

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;

/// A frame of ours, as it lies in an outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Header and payload.
    pub(crate) length: usize,
    pub(crate) fin: bool,
    pub(crate) is_control: bool,
}

/// Measures the frame that `bytes` begin with; it is ours, and there whole.
pub(crate) fn measure(bytes: &[u8]) -> Option<Extent> {
    let [first, second, rest @ ..] = bytes else { return None };
    let payload = match *second {
        126 => usize::from(u16::from_be_bytes(*rest.first_chunk()?)),
        127 => usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?,
        short => usize::from(short),
    };
    Some(Extent {
        length: header_size(payload) + payload,
        fin: first & FIN != 0,
        is_control: first & 0x08 != 0,
    })
}

/// How many frames a message of ours is.
pub(crate) fn count(message: &[u8]) -> u32 {
    let (mut at, mut count) = (0, 0);
    while let Some(frame) = message.get(at..).and_then(measure) {
        at += frame.length;
        count += 1;
    }
    count
}

/// The same, if the frame is a whole message.
pub(crate) fn split_whole(message: &[u8]) -> Option<(Opcode, &[u8])> {
    let whole = measure(message).is_some_and(|frame| frame.length == message.len());
    whole.then(|| split(message)).flatten()
}

/// Splits a frame that [`write`] made into its opcode and its payload.
pub(crate) fn split(frame: &[u8]) -> Option<(Opcode, &[u8])> {
    let opcode = Opcode::from_bits(frame.first()? & 0x0f)?;
    let size = match frame.get(1)? & 0x7f {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    Some((opcode, frame.get(size..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_take_the_shortest_form() {
        for (length, size) in [(0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10)] {
            let mut out = Vec::new();
            write(&mut out, Opcode::Binary, &vec![7; length]);
            assert_eq!(out.len(), size + length);
            assert_eq!(header_size(length), size);
            assert_eq!(split(&out), Some((Opcode::Binary, &vec![7; length][..])));
        }
    }

    #[test]
    fn a_long_message_goes_out_in_frames_of_the_split_size() {
        for (length, split, frames) in
            [(0, 128, 1), (128, 128, 1), (129, 128, 2), (256, 128, 2), (70_000, 66_000, 2), (999, 130, 8)]
        {
            let payload: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let mut out = b"before".to_vec();
            write_message(&mut out, Opcode::Text, false, &payload, split);
            assert_eq!(out.len(), 6 + message_size(length, split), "{length} {split}");
            let (mut at, mut seen, mut together) = (6, 0, Vec::new());
            while at < out.len() {
                let frame = measure(&out[at..]).unwrap();
                let bytes = &out[at..at + frame.length];
                let (_, piece) = super::split(bytes).unwrap();
                assert_eq!(bytes[0] & 0x0f, if seen == 0 { 1 } else { 0 });
                assert_eq!((frame.fin, frame.is_control), (at + frame.length == out.len(), false));
                together.extend_from_slice(piece);
                at += frame.length;
                seen += 1;
            }
            assert_eq!((seen, together), (frames, payload), "{length} {split}");
        }
        assert!(measure(&[0x89, 0]).unwrap().is_control);
    }

    #[test]
    fn parts_side_by_side_are_one_message() {
        let mut out = Vec::new();
        for (part, last) in [(&b"one"[..], false), (b"two and more", false), (b"", true)] {
            write_part(&mut out, part, last, 8);
        }
        mark_first(&mut out, Opcode::Text, true);
        assert_eq!(out, b"\x41\x03one\x00\x08two and \x00\x04more\x80\x00");
        assert_eq!(payloads(&out).collect::<Vec<_>>().concat(), b"onetwo and more");
        assert_eq!(count(&out), 4);
    }

    #[test]
    fn a_length_in_a_longer_form_than_needed_is_refused() {
        assert_eq!(parse(&[0x82, 0xfe, 0, 125, 0, 0, 0, 0]).unwrap_err().code, 1002);
        assert_eq!(parse(&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 255, 255]).unwrap_err().code, 1002);
        assert_eq!(parse(&[0x82, 0xff, 128, 0, 0, 0, 0, 0, 0, 0]).unwrap_err().code, 1002);
    }

    #[test]
    fn a_bad_first_byte_is_refused_before_the_second_comes() {
        for first in [0xc1 | 0x20, 0x90, 0x83, 0x8b, 0x08, 0x09] {
            assert_eq!(parse(&[first]).unwrap_err().code, 1002, "{first:x}");
        }
        assert!(parse(&[0x81]).unwrap().is_none());
    }
}
