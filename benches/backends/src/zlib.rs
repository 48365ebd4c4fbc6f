//! zlib's interface, which three libraries have.

macro_rules! zlib {
    ($name:ident, $sys:ident, $version:literal) => {
        pub mod $name {
            use std::mem::MaybeUninit;

            use $sys as z;

            use crate::{Deflate, Inflate};

            /// zlib's own state points back at the stream: it stays where it is.
            type Stream = Box<MaybeUninit<z::z_stream>>;

            const VERSION: &std::ffi::CStr = $version;

            pub struct Deflater(Stream);

            impl Deflater {
                pub fn new(level: i32, bits: i32, memory: i32) -> Self {
                    let mut stream = Stream::new(MaybeUninit::zeroed());
                    // SAFETY: a zeroed stream asks for the library's own allocator, and never moves.
                    let status = unsafe {
                        z::deflateInit2_(
                            stream.as_mut_ptr(),
                            level,
                            z::Z_DEFLATED,
                            -bits,
                            memory,
                            z::Z_DEFAULT_STRATEGY,
                            VERSION.as_ptr(),
                            size_of::<z::z_stream>() as i32,
                        )
                    };
                    assert_eq!(status, z::Z_OK);
                    Self(stream)
                }
            }

            impl Deflate for Deflater {
                fn reset(&mut self) {
                    // SAFETY: initialised by `new`.
                    unsafe { z::deflateReset(self.0.as_mut_ptr()) };
                }

                fn deflate(&mut self, message: &[u8], out: &mut Vec<u8>) {
                    out.reserve(2 * message.len() + 64);
                    let room = out.spare_capacity_mut();
                    // SAFETY: initialised by `new`; input and room are as long as is said.
                    unsafe {
                        let stream = self.0.as_mut_ptr();
                        (*stream).next_in = message.as_ptr().cast_mut().cast();
                        (*stream).avail_in = message.len() as u32;
                        (*stream).next_out = room.as_mut_ptr().cast();
                        (*stream).avail_out = room.len() as u32;
                        assert_eq!(z::deflate(stream, z::Z_SYNC_FLUSH), z::Z_OK);
                        let made = room.len() - (*stream).avail_out as usize;
                        out.set_len(out.len() + made - 4);
                    }
                }
            }

            impl Drop for Deflater {
                fn drop(&mut self) {
                    // SAFETY: initialised by `new`, and not used again.
                    unsafe { z::deflateEnd(self.0.as_mut_ptr()) };
                }
            }

            pub struct Inflater(Stream);

            impl Inflater {
                pub fn new(bits: i32) -> Self {
                    let mut stream = Stream::new(MaybeUninit::zeroed());
                    // SAFETY: as for `Deflater`.
                    let status = unsafe {
                        z::inflateInit2_(
                            stream.as_mut_ptr(),
                            -bits,
                            VERSION.as_ptr(),
                            size_of::<z::z_stream>() as i32,
                        )
                    };
                    assert_eq!(status, z::Z_OK);
                    Self(stream)
                }
            }

            impl Inflate for Inflater {
                fn reset(&mut self) {
                    // SAFETY: initialised by `new`.
                    unsafe { z::inflateReset(self.0.as_mut_ptr()) };
                }

                fn inflate(&mut self, message: &[u8], out: &mut Vec<u8>) {
                    out.reserve(4096);
                    for piece in [message, &[0, 0, 0xff, 0xff]] {
                        let room = out.spare_capacity_mut();
                        // SAFETY: initialised by `new`; input and room are as long as is said.
                        unsafe {
                            let stream = self.0.as_mut_ptr();
                            (*stream).next_in = piece.as_ptr().cast_mut().cast();
                            (*stream).avail_in = piece.len() as u32;
                            (*stream).next_out = room.as_mut_ptr().cast();
                            (*stream).avail_out = room.len() as u32;
                            z::inflate(stream, z::Z_SYNC_FLUSH);
                            let made = room.len() - (*stream).avail_out as usize;
                            out.set_len(out.len() + made);
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
        }
    };
}

zlib!(stock, libz_sys, c"1.2.11");
zlib!(ng, libz_ng_sys, c"2.1.0");
zlib!(rs, libz_rs_sys, c"1.3.0");
