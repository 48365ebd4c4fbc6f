//! Versions, statuses and the thread's last error.

use std::ffi::{CStr, c_char};

use super::boundary;

/// The version of the binary interface. It is 0 until the interface is settled; the library's SONAME
/// carries it.
pub const ABI_VERSION: u32 = 0;

/// What a call answers: 0 is success, negatives are errors, named by what the caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum Status {
    /// It is done, or queued.
    Ok = 0,
    /// A bad argument, or a call in the wrong order: mend the program.
    Invalid = -1,
    /// The id is stale (that client or gateway is gone), or the server has stopped: forget it.
    Closed = -2,
    /// The client's outbox is full: a DRAIN event tells when there is room again.
    Full = -3,
    /// The time given ran out.
    Timeout = -4,
    /// In use by somebody else: an address, or a batch that another thread takes into.
    Busy = -5,
    /// Not allowed inside a callback.
    Reentrant = -6,
    /// The operating system said no.
    Io = -7,
    /// A certificate or key is bad.
    Tls = -8,
    /// A setting is out of its bounds; the last error names it, the value and the bounds.
    Config = -9,
    /// The server was started before a fork() and this is the child process: make a new one.
    Forked = -10,
    /// A bug in the library was caught.
    Panic = -11,
    /// The library can't do that.
    Unsupported = -12,
}

/// The version of the binary interface that this library has; compare it with
/// `WSGATE_ABI_VERSION` after loading at run time.
///
/// @return the version
/// @threads any
#[unsafe(no_mangle)]
pub extern "C" fn wsgate_abi_version() -> u32 {
    ABI_VERSION
}

/// The library's release, "0.1.0".
///
/// @return a static text: nothing to free
/// @threads any
#[unsafe(no_mangle)]
pub extern "C" fn wsgate_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// A status in words, in English; for a number that is none, too.
///
/// @return a static text: nothing to free
/// @threads any
#[unsafe(no_mangle)]
pub extern "C" fn wsgate_status_text(status: i32) -> *const c_char {
    let text: &CStr = match status {
        0.. => c"ok",
        -1 => c"invalid argument or order of calls",
        -2 => c"closed",
        -3 => c"full",
        -4 => c"timeout",
        -5 => c"busy",
        -6 => c"not allowed inside a callback",
        -7 => c"input/output error",
        -8 => c"TLS error",
        -9 => c"bad setting",
        -10 => c"started before a fork",
        -11 => c"internal error",
        -12 => c"not supported",
        _ => c"unknown status",
    };
    text.as_ptr()
}

/// What was wrong with this thread's latest call that failed, in English; "" when none has.
///
/// @return the text, never NULL; valid until this thread's next failing call, nothing to free
/// @threads any; each has its own
#[unsafe(no_mangle)]
pub extern "C" fn wsgate_last_error() -> *const c_char {
    boundary::last_error()
}
