//! The few system calls that need `unsafe`: an eventfd, signal masks, fork, clocks.
#![allow(unsafe_code)] // that is what this module is for

mod eventfd;
mod fork;
mod signals;

pub(crate) use eventfd::EventFd;
pub(crate) use fork::{epoch, watch};
pub(crate) use signals::blocked;

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("wsgate needs 64-bit Linux");
