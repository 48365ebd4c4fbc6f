//! Calls that concern one client.

use std::ffi::{c_char, c_void};

use crate::config::ClientId;
use crate::error::Result;

use super::boundary::{borrow, bytes, guard};
use super::message::flagged;
use super::{Server, Status};

/// Runs the body of an export that hands over data: `send` gets the started server, and the data.
///
/// # Safety
/// `server` is NULL or live; `data` is NULL, or points to `length` bytes.
pub(super) unsafe fn hand_over(
    server: *mut Server,
    data: *const c_void,
    length: usize,
    send: impl FnOnce(&crate::Server, &[u8]) -> Result<()>,
) -> Status {
    guard(|| {
        // SAFETY: as the caller promises.
        let (server, data) = unsafe { (borrow("server", server)?, bytes("data", data.cast(), length)?) };
        send(&server.running()?.server, data)
    })
}

/// Sends a text message. The data are copied. OK means queued; all that one thread sends reaches a
/// client in the order of its calls.
///
/// @return OK; CLOSED: the client is gone or closing; FULL: its outbox is, and DRAIN will come;
/// INVALID: not UTF-8; CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_send_text(
    server: *mut Server,
    client: u64,
    data: *const c_void,
    length: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    unsafe { hand_over(server, data, length, |server, data| server.send_text(ClientId(client), data)) }
}

/// Sends a binary message; see `wsgate_client_send_text`.
///
/// @return OK; CLOSED: the client is gone or closing; FULL: its outbox is, and DRAIN will come;
/// CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_send_binary(
    server: *mut Server,
    client: u64,
    data: *const c_void,
    length: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    unsafe { hand_over(server, data, length, |server, data| server.send_binary(ClientId(client), data)) }
}

/// Sends a message; see `wsgate_client_send_text`.
///
/// @param flags `wsgate_send_flag` bits
/// @return OK; CLOSED: the client is gone or closing; FULL: its outbox is, and DRAIN will come;
/// INVALID: not UTF-8, or flags that are none; CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_send(
    server: *mut Server,
    client: u64,
    flags: u32,
    data: *const c_void,
    length: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        hand_over(server, data, length, |server, data| server.send(ClientId(client), flagged(flags, data)?))
    }
}

/// Pings a client. Its answer raises PONG with `ticket`. A ping is exempt from the outbox limit; it is
/// dropped while 64 KiB more than that wait.
///
/// @return OK; CLOSED: the client is gone or closing; FULL: 64 MiB of commands wait for its worker, which is
/// busy
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_ping(server: *mut Server, client: u64, ticket: u64) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        unsafe { borrow("server", server) }?.running()?.server.ping(ClientId(client), ticket)
    })
}

/// Closes a client (RFC 6455 section 7.1.2): what was sent before goes out first, then a Close frame;
/// CLOSE is raised when the peer has answered it, or when the close period is over. Its messages are
/// not delivered any more, and nothing more can be sent to it.
///
/// @param code 1000 to 1003, 1007 to 1014, or 3000 to 4999
/// @param reason UTF-8, at most 123 bytes
/// @return OK; CLOSED: the client is gone or closing already; INVALID: a bad code or reason
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_close(
    server: *mut Server,
    client: u64,
    code: u32,
    reason: *const c_char,
    length: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; `reason` has `length` bytes.
        let (server, reason) =
            unsafe { (borrow("server", server)?, bytes("reason", reason.cast(), length)?) };
        server.running()?.server.close(ClientId(client), code, reason)
    })
}

/// Gives a client a word of the application's, which comes as `user_data` with each of its events that
/// is raised from now on.
///
/// @return OK; CLOSED: the client is gone
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_set_user_data(
    server: *mut Server,
    client: u64,
    user_data: u64,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        unsafe { borrow("server", server) }?.running()?.server.set_user_data(ClientId(client), user_data)
    })
}
