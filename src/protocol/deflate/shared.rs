//! Messages that stand for themselves: one compressor and one decompressor a thread, for everybody.

use std::cell::RefCell;

use super::codec::SharedClass;
use super::negotiation::MAX_BITS;
use crate::sys::{Corrupt, Deflater, Inflater, Packer, Unpacker};

/// Their streams, by level, and for `Deflater` by window: made when first needed.
#[derive(Default)]
struct Shared {
    packers: [Option<Packer>; 10],
    deflaters: Vec<((u8, u8), Deflater)>,
    unpacker: Option<Unpacker>,
    /// A compressed message, with the end that its stream lacks.
    packed: Vec<u8>,
    /// What messages are inflated and compressed into, for whoever borrows it: a callback compresses while the
    /// message that it is told of is there.
    spare: Vec<Vec<u8>>,
}

thread_local! {
    static SHARED: RefCell<Shared> = RefCell::default();
}

/// What a compressed message lacks (RFC 7692 §7.2.2), and an empty final block, where libdeflate stops.
const END: [u8; 9] = [0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff];
/// How often a peer may end its stream within a message until zlib takes over: libdeflate makes room anew for each.
const STREAMS: usize = 16;
/// How many buffers are kept for the next messages.
const SPARE: usize = 2;
/// More than this is not kept for the next message.
const KEEP: usize = 1 << 20;
/// The memory level of the shared streams.
const MEMORY: u8 = 8;

/// Lends one of the thread's buffers.
pub(crate) fn lend() -> Vec<u8> {
    with(|shared| shared.spare.pop()).flatten().unwrap_or_default()
}

/// Takes it back, unless it has grown too large to be kept, or there are enough.
pub(crate) fn give_back(buffer: Vec<u8>) {
    if (1..=KEEP).contains(&buffer.capacity()) {
        with(|shared| {
            if shared.spare.len() < SPARE {
                shared.spare.push(buffer);
            }
        });
    }
}

/// Appends an inflated message, of `limit` bytes at most.
pub(super) fn inflate(message: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), Corrupt> {
    with(|shared| {
        let Shared { unpacker, packed, .. } = shared;
        if unpacker.is_none() {
            *unpacker = Unpacker::new();
        }
        let Some(unpacker) = unpacker else { return Err(Corrupt::Memory) };
        packed.clear();
        packed.extend_from_slice(message);
        packed.extend_from_slice(&END);
        let end = out.len().saturating_add(limit);
        let taken = unpack_streams(unpacker, packed, out, end);
        if packed.capacity() > KEEP {
            *packed = Vec::new();
        }
        let taken = taken?;
        if taken == message.len() + END.len() {
            return Ok(());
        }
        // Whoever ended a stream within the tail has cut the message.
        let rest = message.get(taken..).ok_or(Corrupt::Data)?;
        let mut inflater = Inflater::new(MAX_BITS).ok_or(Corrupt::Memory)?;
        inflater.inflate(rest, out, end.saturating_sub(out.len()))
    })
    .unwrap_or(Err(Corrupt::Memory))
}

/// Appends what the first streams in `packed` hold, up to `end`; how much of it they are. Where the peer ended a stream,
/// another begins (§7.2.3.4).
fn unpack_streams(
    unpacker: &mut Unpacker,
    packed: &[u8],
    out: &mut Vec<u8>,
    end: usize,
) -> Result<usize, Corrupt> {
    let mut rest = packed;
    for _ in 0..STREAMS {
        let taken = unpacker.unpack(rest, out, end.saturating_sub(out.len()))?;
        rest = rest.get(taken..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
    }
    Ok(packed.len() - rest.len())
}

/// Appends a compressed message. False, and nothing appended, when it would not get smaller.
pub(crate) fn deflate(message: &[u8], class: SharedClass, level: u8, out: &mut Vec<u8>) -> bool {
    let before = out.len();
    let done = with(|shared| {
        if class.ends && class.bits == MAX_BITS {
            let Some(packer) = shared.packers.get_mut(usize::from(level)) else { return false };
            if packer.is_none() {
                *packer = Packer::new(level);
            }
            let Some(packer) = packer else { return false };
            packer.pack(message, out);
            // Behind a final block, the beginning of an empty one (§7.2.3.4).
            out.push(0);
            return true;
        }
        let place = shared.deflaters.iter().position(|(key, _)| *key == (level, class.bits));
        let place = place.unwrap_or_else(|| {
            shared.deflaters.extend(
                Deflater::new(level, class.bits, MEMORY).map(|deflater| ((level, class.bits), deflater)),
            );
            shared.deflaters.len().saturating_sub(1)
        });
        let Some((_, deflater)) =
            shared.deflaters.get_mut(place).filter(|(key, _)| *key == (level, class.bits))
        else {
            return false;
        };
        deflater.reset();
        deflater.deflate(message, out);
        true
    });
    if done == Some(true) && out.len() - before < message.len().max(1) {
        return true;
    }
    out.truncate(before);
    false
}

/// `None` on a thread that is coming to its end.
fn with<R>(work: impl FnOnce(&mut Shared) -> R) -> Option<R> {
    SHARED.try_with(|shared| work(&mut shared.borrow_mut())).ok()
}
