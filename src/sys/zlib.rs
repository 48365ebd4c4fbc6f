//! zlib's raw DEFLATE streams: for contexts that are taken over from message to message, where window and
//! memory level decide what a client costs.

use std::mem::MaybeUninit;
use std::ptr::{addr_of, addr_of_mut};

use libz_sys as z;

/// Why a message could not be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Corrupt {
    /// It is no DEFLATE stream, or a broken one.
    Data,
    /// It would be longer than allowed.
    TooLong,
    /// There is no memory for it.
    Memory,
}

/// zlib's own state points back at the stream: it stays where it is.
type Stream = Box<MaybeUninit<z::z_stream>>;

const VERSION: &std::ffi::CStr = c"1.2.11";
const SIZE: i32 = size_of::<z::z_stream>() as i32;
/// zlib counts in 32 bits.
const PIECE: usize = 1 << 30;
/// How much room is made for output at once, at least.
const ROOM: usize = 512;

/// Compresses messages one after the other, each of which may refer to those before.
#[derive(Debug)]
pub(crate) struct Deflater(Stream);

// SAFETY: the stream and all it points to belong to this one value; zlib keeps nothing per thread.
unsafe impl Send for Deflater {}

impl Deflater {
    /// `level` 0 to 9, `bits` 9 to 15, `memory` 1 to 9. `None`: there is no memory for it.
    pub(crate) fn new(level: u8, bits: u8, memory: u8) -> Option<Self> {
        let mut stream = Stream::new(MaybeUninit::zeroed());
        let (level, bits, memory) = (level.into(), -i32::from(bits), memory.into());
        // SAFETY: a zeroed stream asks for zlib's own allocator; it is initialised before anything else is done
        // with it, and never moves.
        let status = unsafe {
            z::deflateInit2_(
                stream.as_mut_ptr(),
                level,
                z::Z_DEFLATED,
                bits,
                memory,
                z::Z_DEFAULT_STRATEGY,
                VERSION.as_ptr(),
                SIZE,
            )
        };
        (status == z::Z_OK).then_some(Self(stream))
    }

    /// Forgets the messages before.
    pub(crate) fn reset(&mut self) {
        // SAFETY: initialised by `new`.
        unsafe { z::deflateReset(self.0.as_mut_ptr()) };
    }

    /// Appends a message, compressed up to a byte boundary and without the tail `00 00 ff ff`
    /// (RFC 7692 §7.2.1).
    pub(crate) fn deflate(&mut self, message: &[u8], out: &mut Vec<u8>) {
        if message.is_empty() {
            // A second flush in a row would add nothing at all (§7.2.3.6).
            out.push(0);
            return;
        }
        self.deflate_part(message, out);
        if out.ends_with(&[0, 0, 0xff, 0xff]) {
            out.truncate(out.len() - 4);
        }
    }

    /// Appends a part of a message that is not its last, and not empty: compressed up to a byte boundary, tail
    /// included.
    pub(crate) fn deflate_part(&mut self, message: &[u8], out: &mut Vec<u8>) {
        let mut pieces = message.chunks(PIECE).peekable();
        while let Some(piece) = pieces.next() {
            let flush = if pieces.peek().is_some() { z::Z_NO_FLUSH } else { z::Z_SYNC_FLUSH };
            let stream = self.0.as_mut_ptr();
            // SAFETY: initialised by `new`; the piece outlives its use, which ends in this turn of the loop.
            unsafe {
                addr_of_mut!((*stream).next_in).write(piece.as_ptr().cast_mut());
                addr_of_mut!((*stream).avail_in).write(piece.len() as u32);
            }
            loop {
                // SAFETY: as above.
                let (_, full) = unsafe { step(stream, out, usize::MAX, |stream| z::deflate(stream, flush)) };
                if !full {
                    break;
                }
            }
        }
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        // SAFETY: initialised by `new`, and not used again.
        unsafe { z::deflateEnd(self.0.as_mut_ptr()) };
    }
}

/// Inflates messages one after the other, each of which may refer to those before.
#[derive(Debug)]
pub(crate) struct Inflater(Stream);

// SAFETY: as for `Deflater`.
unsafe impl Send for Inflater {}

impl Inflater {
    /// `bits` 9 to 15. `None`: there is no memory for it.
    pub(crate) fn new(bits: u8) -> Option<Self> {
        let mut stream = Stream::new(MaybeUninit::zeroed());
        // SAFETY: as in `Deflater::new`.
        let status =
            unsafe { z::inflateInit2_(stream.as_mut_ptr(), -i32::from(bits), VERSION.as_ptr(), SIZE) };
        (status == z::Z_OK).then_some(Self(stream))
    }

    /// Appends an inflated message, of `limit` bytes at most. After a failure the stream is of no use.
    pub(crate) fn inflate(&mut self, message: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), Corrupt> {
        let end = out.len().saturating_add(limit);
        for piece in message.chunks(PIECE) {
            self.piece(piece, out, end)?;
        }
        self.piece(&[0, 0, 0xff, 0xff], out, end)?;
        self.end()
    }

    /// A message has ended, its tail included: it does so at a block's end, else it was cut.
    pub(crate) fn end(&mut self) -> Result<(), Corrupt> {
        // SAFETY: initialised by `new`.
        let state = unsafe { addr_of!((*self.0.as_ptr()).data_type).read() };
        if state & BETWEEN_BLOCKS == 0 { Err(Corrupt::Data) } else { Ok(()) }
    }

    /// Appends what a part of a message inflates to, `room` bytes at most: how much of the part that took, and whether
    /// there may be more when the room was used up.
    pub(crate) fn inflate_part(
        &mut self,
        part: &[u8],
        out: &mut Vec<u8>,
        room: usize,
    ) -> Result<(usize, bool), Corrupt> {
        let part = part.get(..part.len().min(PIECE)).unwrap_or_default();
        let end = out.len().saturating_add(room);
        let stream = self.0.as_mut_ptr();
        // SAFETY: initialised by `new`; the part outlives its use, which ends in this call.
        unsafe {
            addr_of_mut!((*stream).next_in).write(part.as_ptr().cast_mut());
            addr_of_mut!((*stream).avail_in).write(part.len() as u32);
        }
        loop {
            // SAFETY: as above.
            let (status, full) =
                unsafe { step(stream, out, end, |stream| z::inflate(stream, z::Z_SYNC_FLUSH)) };
            // SAFETY: as above.
            let left = unsafe { addr_of!((*stream).avail_in).read() } as usize;
            let is_full = full && out.len() >= end;
            match status {
                // The peer ended its stream; what follows begins another (RFC 7692 §7.2.3.4).
                // SAFETY: as above.
                z::Z_STREAM_END => unsafe {
                    z::inflateReset(stream);
                    if left == 0 || is_full {
                        return Ok((part.len() - left, is_full));
                    }
                },
                z::Z_OK | z::Z_BUF_ERROR if is_full || (left == 0 && !full) => {
                    return Ok((part.len() - left, is_full));
                }
                z::Z_OK => {}
                z::Z_BUF_ERROR if full => {}
                z::Z_MEM_ERROR => return Err(Corrupt::Memory),
                _ => return Err(Corrupt::Data),
            }
        }
    }

    fn piece(&mut self, piece: &[u8], out: &mut Vec<u8>, end: usize) -> Result<(), Corrupt> {
        let stream = self.0.as_mut_ptr();
        // SAFETY: initialised by `new`; the piece outlives its use, which ends in this call.
        unsafe {
            addr_of_mut!((*stream).next_in).write(piece.as_ptr().cast_mut());
            addr_of_mut!((*stream).avail_in).write(piece.len() as u32);
        }
        loop {
            // One byte more than allowed, to see whether there is one.
            // SAFETY: as above.
            let (status, full) = unsafe {
                step(stream, out, end.saturating_add(1), |stream| z::inflate(stream, z::Z_SYNC_FLUSH))
            };
            if out.len() > end {
                return Err(Corrupt::TooLong);
            }
            // SAFETY: as above.
            let left = unsafe { addr_of!((*stream).avail_in).read() };
            match status {
                // The peer ended its stream; what follows begins another (RFC 7692 §7.2.3.4).
                // SAFETY: as above.
                z::Z_STREAM_END => unsafe {
                    z::inflateReset(stream);
                    if left == 0 {
                        return Ok(());
                    }
                },
                z::Z_OK | z::Z_BUF_ERROR if full => {}
                z::Z_OK | z::Z_BUF_ERROR if left == 0 => return Ok(()),
                z::Z_OK => {}
                z::Z_MEM_ERROR => return Err(Corrupt::Memory),
                _ => return Err(Corrupt::Data),
            }
        }
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        // SAFETY: initialised by `new`, and not used again.
        unsafe { z::inflateEnd(self.0.as_mut_ptr()) };
    }
}

/// Of `data_type` after `inflate`: the last thing read was the end of a block.
const BETWEEN_BLOCKS: i32 = 128;

/// Lets zlib write into the spare room of `out`, which does not grow beyond `end`. Its status, and whether
/// the room was filled up.
///
/// # Safety
/// `stream` is initialised, and its input lives through the call.
unsafe fn step(
    stream: *mut z::z_stream,
    out: &mut Vec<u8>,
    end: usize,
    work: impl FnOnce(*mut z::z_stream) -> i32,
) -> (i32, bool) {
    if out.len() == out.capacity() {
        // Doubled as it fills, but not past the end: a bomb must not get more than it may have.
        let more = out.len().max(ROOM).min(end.saturating_sub(out.len()));
        out.reserve_exact(more);
    }
    let offered = (out.capacity() - out.len()).min(end.saturating_sub(out.len())).min(PIECE);
    let room = out.spare_capacity_mut();
    // SAFETY: zlib writes no more than the room that it is told of, and only there.
    unsafe {
        addr_of_mut!((*stream).next_out).write(room.as_mut_ptr().cast());
        addr_of_mut!((*stream).avail_out).write(offered as u32);
        let status = work(stream);
        let left = addr_of!((*stream).avail_out).read() as usize;
        out.set_len(out.len() + offered - left);
        (status, left == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(deflater: &mut Deflater, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        deflater.deflate(message, &mut out);
        out
    }

    #[test]
    fn messages_refer_to_those_before_until_a_reset() {
        let mut deflater = Deflater::new(6, 12, 5).unwrap();
        let mut inflater = Inflater::new(12).unwrap();
        let message: Vec<u8> = (0..200u32).flat_map(|n| (n * 7919).to_be_bytes()).collect();
        let sizes: Vec<usize> = (0..4)
            .map(|turn| {
                if turn == 2 {
                    deflater.reset();
                }
                let packed = packed(&mut deflater, &message);
                let mut out = b"before".to_vec();
                inflater.inflate(&packed, &mut out, message.len()).unwrap();
                assert_eq!(out.split_off(6), message);
                packed.len()
            })
            .collect();
        assert!(sizes[1] * 4 < sizes[0] && sizes[2] == sizes[0] && sizes[3] == sizes[1], "{sizes:?}");
    }

    #[test]
    fn empty_messages_are_a_byte() {
        let mut deflater = Deflater::new(6, 15, 8).unwrap();
        let mut inflater = Inflater::new(15).unwrap();
        for message in [&b""[..], b"a", b"", b""] {
            let packed = packed(&mut deflater, message);
            assert!(!packed.is_empty());
            let mut out = Vec::new();
            inflater.inflate(&packed, &mut out, 10).unwrap();
            assert_eq!(out, message);
        }
    }

    #[test]
    fn a_bomb_gets_no_more_than_the_limit() {
        let bomb = packed(&mut Deflater::new(9, 15, 9).unwrap(), &vec![0; 50 << 20]);
        let mut out = Vec::new();
        let result = Inflater::new(15).unwrap().inflate(&bomb, &mut out, 1 << 20);
        assert_eq!(result, Err(Corrupt::TooLong));
        assert!(out.capacity() <= (1 << 20) + 1);
        let exact = packed(&mut Deflater::new(9, 15, 9).unwrap(), &vec![0; 1 << 20]);
        assert_eq!(Inflater::new(15).unwrap().inflate(&exact, &mut Vec::new(), 1 << 20), Ok(()));
    }

    #[test]
    fn garbage_and_cut_messages_are_told() {
        let whole =
            packed(&mut Deflater::new(6, 15, 8).unwrap(), b"a message that is long enough to be cut in two");
        for message in [&b"\xff\xff\xff"[..], &whole[..whole.len() / 2], &whole[..whole.len() - 3]] {
            let result = Inflater::new(15).unwrap().inflate(message, &mut Vec::new(), 1000);
            assert_eq!(result, Err(Corrupt::Data), "{message:?}");
        }
    }

    #[test]
    fn a_stream_that_ends_early_may_be_followed_by_another() {
        // "Hello" in a block with BFINAL, then an empty block (RFC 7692 §7.2.3.4).
        let message = b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00";
        let mut out = Vec::new();
        Inflater::new(15).unwrap().inflate(message, &mut out, 10).unwrap();
        assert_eq!(out, b"Hello");
    }
}
