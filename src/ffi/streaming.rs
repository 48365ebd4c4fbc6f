//! Messages in parts, both ways.

use std::ffi::c_void;

use crate::config::{ClientId, EndpointId};

use super::boundary::{borrow, guard};
use super::client::hand_over;
use super::message::flagged;
use super::server::configure;
use super::{Server, Status};

/// Lets the messages of the endpoint's clients come in chunks, as they arrive (`streaming` is not 0) [0]:
/// BEGIN, any number of CHUNK, END, in place of MESSAGE. A message that has come whole by the time it is
/// looked at, and has no more than 64 KiB, comes as a MESSAGE all the same. `wsgate_accept` can choose this
/// for one client.
///
/// @return OK; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_streaming(
    server: *mut Server,
    endpoint: u32,
    streaming: u32,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_streaming(EndpointId(endpoint), streaming != 0)) }
}

/// Sets how long a message that the application has begun may wait for its next part while nothing of it
/// waits to be written, in milliseconds [60,000; 50 to 86,400,000; 0: for ever], or up to a quarter
/// longer. Then it is abandoned: the client is closed with 1011 "Message abandoned".
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_stream_timeout(
    server: *mut Server,
    endpoint: u32,
    milliseconds: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_stream_timeout(EndpointId(endpoint), milliseconds)) }
}

/// Tells that the application does not want the rest of a message that comes in chunks. No further CHUNK of
/// it is raised (with pull, those that wait to be taken still come), and what arrives of it fills no
/// window; its END comes, with `WSGATE_EVENT_FLAG_DISCARDED`, and the client's next message after it.
///
/// @param message the `value` of its BEGIN
/// @return OK, also when that message is over; CLOSED: the client is gone
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_discard(server: *mut Server, client: u64, message: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    guard(|| unsafe { borrow("server", server) }?.running()?.server.discard(ClientId(client), message))
}

/// Begins a text message whose content follows in parts, by `wsgate_client_chunk` and `wsgate_client_end`.
/// Until it has ended, what else is sent to the client waits behind it, in order, and may fill half of the
/// outbox; pings, pongs and Close frames pass.
///
/// The text as a whole must be UTF-8; a part may end within a character. It is checked on its way out, and
/// text that is not abandons the message: the client is closed with 1011.
///
/// @return OK; BUSY: a message to it is open already; CLOSED: the client is gone or closing
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_begin_text(server: *mut Server, client: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    guard(|| unsafe { borrow("server", server) }?.running()?.server.begin_text(ClientId(client)))
}

/// Begins a binary message whose content follows in parts; see `wsgate_client_begin_text`.
///
/// @return OK; BUSY: a message to it is open already; CLOSED: the client is gone or closing
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_begin_binary(server: *mut Server, client: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    guard(|| unsafe { borrow("server", server) }?.running()?.server.begin_binary(ClientId(client)))
}

/// Begins a message whose content follows in parts; see `wsgate_client_begin_text`. Where it is compressed, each
/// part is, so that the peer has all of it as soon as it gets it.
///
/// @param flags `wsgate_send_flag` bits
/// @return OK; BUSY: a message to it is open already; CLOSED: the client is gone or closing; INVALID: flags that
/// are none
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_begin(server: *mut Server, client: u64, flags: u32) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        let message = flagged(flags, &[])?;
        server.running()?.server.begin(ClientId(client), message.binary, message.compress)
    })
}

/// Sends the next part of the message that was begun. The data are copied. OK means queued, as one frame or,
/// over the frame split threshold, several; an empty part sends nothing. After FULL and its DRAIN any part
/// fits.
///
/// @return OK; FULL: the client's outbox is, and DRAIN will come; CLOSED: the client is gone or closing;
/// INVALID: no message to it is open, or, from a callback, the text is not UTF-8; CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_chunk(
    server: *mut Server,
    client: u64,
    data: *const c_void,
    length: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    unsafe { hand_over(server, data, length, |server, data| server.send_chunk(ClientId(client), data)) }
}

/// Ends the message that was begun, with its last part, which may be empty: then it is never FULL. After OK
/// another may begin; after FULL it is open still.
///
/// @return OK; FULL: the client's outbox is, and DRAIN will come; CLOSED: the client is gone or closing;
/// INVALID: no message to it is open, or, from a callback, the text is not UTF-8; CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_end(
    server: *mut Server,
    client: u64,
    data: *const c_void,
    length: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    unsafe { hand_over(server, data, length, |server, data| server.end_message(ClientId(client), data)) }
}

/// Gives up the message that was begun. What the peer has of it can't be taken back, so the client is closed,
/// with 1011 "Message abandoned".
///
/// @return OK; CLOSED: the client is gone or closing; INVALID: no message to it is open
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_abort(server: *mut Server, client: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    guard(|| unsafe { borrow("server", server) }?.running()?.server.abort_message(ClientId(client)))
}
