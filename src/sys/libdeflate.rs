//! libdeflate: whole messages that stand for themselves, compressed and inflated in one go.

use std::ptr::NonNull;

use libdeflate_sys as lib;

use super::zlib::Corrupt;

/// Compresses messages, each for itself.
#[derive(Debug)]
pub(crate) struct Packer(NonNull<lib::libdeflate_compressor>);

// SAFETY: it belongs to this one value; the library keeps nothing per thread.
unsafe impl Send for Packer {}

impl Packer {
    /// `level` 1 to 12. `None`: there is no memory for it.
    pub(crate) fn new(level: u8) -> Option<Self> {
        // SAFETY: no pointers go in; NULL is checked.
        NonNull::new(unsafe { lib::libdeflate_alloc_compressor(level.into()) }).map(Self)
    }

    /// Appends a message as one DEFLATE stream that ends with a final block.
    pub(crate) fn pack(&mut self, message: &[u8], out: &mut Vec<u8>) {
        // SAFETY: made by `new`; the bound is asked for this compressor, and so much room is made, so that the
        // result fits; the library writes nowhere else.
        unsafe {
            let bound = lib::libdeflate_deflate_compress_bound(self.0.as_ptr(), message.len());
            out.reserve(bound);
            let room = out.spare_capacity_mut();
            let length = lib::libdeflate_deflate_compress(
                self.0.as_ptr(),
                message.as_ptr().cast(),
                message.len(),
                room.as_mut_ptr().cast(),
                room.len(),
            );
            out.set_len(out.len() + length);
        }
    }
}

impl Drop for Packer {
    fn drop(&mut self) {
        // SAFETY: made by `new`, and not used again.
        unsafe { lib::libdeflate_free_compressor(self.0.as_ptr()) };
    }
}

/// Inflates messages, each for itself.
#[derive(Debug)]
pub(crate) struct Unpacker(NonNull<lib::libdeflate_decompressor>);

// SAFETY: as for `Packer`.
unsafe impl Send for Unpacker {}

impl Unpacker {
    /// `None`: there is no memory for it.
    pub(crate) fn new() -> Option<Self> {
        // SAFETY: no pointers go in; NULL is checked.
        NonNull::new(unsafe { lib::libdeflate_alloc_decompressor() }).map(Self)
    }

    /// Appends the content of the stream that `packed` begins with, of `limit` bytes at most, and tells how
    /// much of `packed` it took.
    pub(crate) fn unpack(
        &mut self,
        packed: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<usize, Corrupt> {
        let mut room = packed.len().saturating_mul(4).max(512).min(limit);
        loop {
            out.reserve_exact(room);
            let (mut taken, mut made) = (0, 0);
            // SAFETY: made by `new`; input and room are as long as is said, and outlive the call; of the room, what
            // was written becomes part of `out`.
            let result = unsafe {
                let result = lib::libdeflate_deflate_decompress_ex(
                    self.0.as_ptr(),
                    packed.as_ptr().cast(),
                    packed.len(),
                    out.spare_capacity_mut().as_mut_ptr().cast(),
                    room,
                    &raw mut taken,
                    &raw mut made,
                );
                if result == lib::libdeflate_result_LIBDEFLATE_SUCCESS {
                    out.set_len(out.len() + made);
                }
                result
            };
            match result {
                lib::libdeflate_result_LIBDEFLATE_SUCCESS => return Ok(taken),
                // It begins again with more room: twice the work at the most.
                lib::libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE if room < limit => {
                    room = room.saturating_mul(4).min(limit);
                }
                lib::libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE => return Err(Corrupt::TooLong),
                _ => return Err(Corrupt::Data),
            }
        }
    }
}

impl Drop for Unpacker {
    fn drop(&mut self) {
        // SAFETY: made by `new`, and not used again.
        unsafe { lib::libdeflate_free_decompressor(self.0.as_ptr()) };
    }
}
