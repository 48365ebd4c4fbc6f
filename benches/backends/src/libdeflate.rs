//! libdeflate: whole messages only, which end with a final block.

use libdeflate_sys as lib;

use crate::{Deflate, Inflate};

pub struct Packer(*mut lib::libdeflate_compressor);

impl Packer {
    pub fn new(level: i32) -> Self {
        // SAFETY: no pointers go in; NULL is checked.
        let made = unsafe { lib::libdeflate_alloc_compressor(level) };
        assert!(!made.is_null());
        Self(made)
    }
}

impl Deflate for Packer {
    fn reset(&mut self) {}

    fn deflate(&mut self, message: &[u8], out: &mut Vec<u8>) {
        out.reserve(message.len() + 64);
        // SAFETY: made by `new`; input and room are as long as is said.
        unsafe {
            let room = out.spare_capacity_mut();
            let length = lib::libdeflate_deflate_compress(
                self.0,
                message.as_ptr().cast(),
                message.len(),
                room.as_mut_ptr().cast(),
                room.len(),
            );
            out.set_len(out.len() + length);
        }
    }
}

pub struct Unpacker(*mut lib::libdeflate_decompressor);

impl Unpacker {
    pub fn new() -> Self {
        // SAFETY: no pointers go in; NULL is checked.
        let made = unsafe { lib::libdeflate_alloc_decompressor() };
        assert!(!made.is_null());
        Self(made)
    }
}

impl Inflate for Unpacker {
    fn reset(&mut self) {}

    fn inflate(&mut self, message: &[u8], out: &mut Vec<u8>) {
        out.reserve(4096);
        let mut made = 0;
        // SAFETY: made by `new`; input and room are as long as is said, and what was written becomes part of `out`.
        unsafe {
            let room = out.spare_capacity_mut();
            let result = lib::libdeflate_deflate_decompress(
                self.0,
                message.as_ptr().cast(),
                message.len(),
                room.as_mut_ptr().cast(),
                room.len(),
                &raw mut made,
            );
            assert_eq!(result, lib::libdeflate_result_LIBDEFLATE_SUCCESS);
            out.set_len(out.len() + made);
        }
    }
}
