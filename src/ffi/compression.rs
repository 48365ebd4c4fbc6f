//! permessage-deflate at an endpoint.

use crate::config::EndpointId;

use super::server::configure;
use super::{Server, Status};

/// Sets how hard messages are compressed by permessage-deflate (RFC 7692) [0: it is off; 1, fast, to 9,
/// small]. It is agreed upon with the clients that offer it; for the others nothing changes. A client's
/// messages count against the size limits as they inflate, too.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_compression(
    server: *mut Server,
    endpoint: u32,
    level: u32,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_compression(EndpointId(endpoint), level.into())) }
}

/// Sets whether messages may refer to earlier ones, ours and the client's [0: each stands for itself]. It
/// makes similar messages much smaller, and costs each client a context of its own for each direction, from
/// its first compressed message on; without it a compressed client costs no more than another. Sets the
/// windows too: to 12 bits for a direction with takeover, to 15 else.
///
/// @return OK; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_compression_takeover(
    server: *mut Server,
    endpoint: u32,
    ours: u32,
    theirs: u32,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe {
        configure(server, |config| {
            config.set_compression_takeover(EndpointId(endpoint), ours != 0, theirs != 0)
        })
    }
}

/// Sets the windows that we and the client compress with, as bits: 9 to 15, for 512 bytes to 32 KiB. Call it
/// after `wsgate_endpoint_set_compression_takeover`, which sets them too. With takeover, a window of ours costs
/// a client four times its size, one of its own once. A client may ask for less; one that does not let the
/// server choose (`client_max_window_bits`) is inflated with 15 bits.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_compression_window(
    server: *mut Server,
    endpoint: u32,
    ours: u32,
    theirs: u32,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe {
        configure(server, |config| {
            config.set_compression_window(EndpointId(endpoint), ours.into(), theirs.into())
        })
    }
}

/// Sets how much memory a context of ours that is taken over has besides its window [5; 1 to 9]: `1 << (level +
/// 9)` bytes.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_compression_memory(
    server: *mut Server,
    endpoint: u32,
    level: u32,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_compression_memory(EndpointId(endpoint), level.into())) }
}

/// Sets which messages are compressed: those of at least `threshold` bytes [861; 0 to 1 GiB], text [1] and
/// binary [1]. One that would not get smaller is sent as it is.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_compression_of(
    server: *mut Server,
    endpoint: u32,
    threshold: u64,
    text: u32,
    binary: u32,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe {
        configure(server, |config| {
            config.set_compression_of(EndpointId(endpoint), threshold, text != 0, binary != 0)
        })
    }
}

/// Sets how many times its compressed size a client's message may inflate to, where that is more than 64 KiB
/// [0: the size limits alone bound it; up to 1,048,576]. Beyond it the client is closed with 1009.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_compression_ratio(
    server: *mut Server,
    endpoint: u32,
    ratio: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_compression_ratio(EndpointId(endpoint), ratio)) }
}
