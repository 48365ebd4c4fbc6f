//! The few system calls that need `unsafe`: an eventfd, inherited descriptors, signal masks, fork.
#![allow(unsafe_code)] // that is what this module is for

mod descriptor;
mod eventfd;
mod fork;
mod libdeflate;
mod signals;
mod zlib;

pub(crate) use descriptor::duplicate;
#[cfg_attr(wsgate_loom, expect(unused_imports, reason = "crate::sync has another"))]
pub(crate) use eventfd::EventFd;
pub(crate) use fork::{epoch, watch};
pub(crate) use libdeflate::{Packer, Unpacker};
pub(crate) use signals::blocked;
pub(crate) use zlib::{Corrupt, Deflater, Inflater};

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("wsgate needs 64-bit Linux");
