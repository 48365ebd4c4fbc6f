//! How fast a client is told and listened to: its settings, its grants, its figures.

use crate::config::{self, ClientId, EndpointId};
use crate::counters::{Info, ServerInfo};
use crate::error::{Error, Result};

use super::boundary::{borrow, fill, guard};
use super::server::configure;
use super::{RatePolicy, Server, SlowConsumer, Status};

/// Sets what becomes of a broadcast for a client whose outbox has no room for it: a
/// `wsgate_slow_consumer` [CLOSE]. Sends to one client answer FULL instead.
///
/// @return OK; INVALID: no such policy, no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_slow_consumer(
    server: *mut Server,
    endpoint: u32,
    policy: u32,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        let policy = match policy {
            policy if policy == SlowConsumer::Close as u32 => config::SlowConsumer::Close,
            policy if policy == SlowConsumer::DropNewest as u32 => config::SlowConsumer::DropNewest,
            policy if policy == SlowConsumer::DropOldest as u32 => config::SlowConsumer::DropOldest,
            policy => return Err(Error::invalid(format!("policy is {policy}, not a wsgate_slow_consumer"))),
        };
        server.build(|config, _| config.set_slow_consumer(EndpointId(endpoint), policy))
    })
}

/// Sets from which size on an outgoing message is sent in several frames, and how large they are: bytes
/// of payload [32 KiB; 128 to 1 GiB; 0: always one frame]. Pings and pongs pass between them.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_frame_split(
    server: *mut Server,
    endpoint: u32,
    bytes: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_frame_split(EndpointId(endpoint), bytes)) }
}

/// Refuses binary messages (`only` is not 0) [0]: such a client is closed with 1003.
///
/// @return OK; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_text_only(
    server: *mut Server,
    endpoint: u32,
    only: u32,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_text_only(EndpointId(endpoint), only != 0)) }
}

/// Sets how much of one client's messages the application may have in hand: bytes [1 MiB; 1 to 1 GiB]
/// and messages [64; 1 to 2^31]. A client that has filled either is not read, so that TCP holds it back,
/// until some were dealt with; the others are read on. What has been dealt with: see
/// `wsgate_endpoint_set_explicit_grants`.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_receive_window(
    server: *mut Server,
    endpoint: u32,
    bytes: u64,
    messages: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_receive_window(EndpointId(endpoint), bytes, messages)) }
}

/// Sets how the receive window learns what was dealt with. 0 [the default]: all that a batch holds, when
/// the application takes again; with callbacks, a message when its callback returns. Not 0: what
/// `wsgate_client_grant` says, so that a handler may keep a message for longer than that.
///
/// @return OK; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_explicit_grants(
    server: *mut Server,
    endpoint: u32,
    explicit_grants: u32,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe {
        configure(server, |config| config.set_explicit_grants(EndpointId(endpoint), explicit_grants != 0))
    }
}

/// Sets after how many milliseconds without anything read from a client it is pinged [10,000; 50 to
/// 86,400,000; 0: never], and how many of these pings may stay unanswered [3; 1 to 1,000]: with more, the
/// client is closed with 1008 "Exceeded unanswered PING limit". The pings raise no PONG. A client that is
/// not read, because it is paused or for another's sake, is not pinged.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_heartbeat(
    server: *mut Server,
    endpoint: u32,
    period_ms: u64,
    unanswered: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_heartbeat(EndpointId(endpoint), period_ms, unanswered)) }
}

/// Sets how much a client may send in a second: bytes on the wire [1 MiB; 1 to 2^40; 0: any number] and
/// frames [100; 1 to 2^31; 0: any number]. What happens then: see `wsgate_endpoint_set_rate_policy`.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_rate_limit(
    server: *mut Server,
    endpoint: u32,
    bytes: u64,
    frames: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_rate_limit(EndpointId(endpoint), bytes, frames)) }
}

/// Sets what becomes of a client over its rate limit: a `wsgate_rate_policy` [PAUSE].
///
/// @return OK; INVALID: no such policy, no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_rate_policy(
    server: *mut Server,
    endpoint: u32,
    policy: u32,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        let policy = match policy {
            policy if policy == RatePolicy::Pause as u32 => config::RatePolicy::Pause,
            policy if policy == RatePolicy::Close as u32 => config::RatePolicy::Close,
            policy => return Err(Error::invalid(format!("policy is {policy}, not a wsgate_rate_policy"))),
        };
        server.build(|config, _| config.set_rate_policy(EndpointId(endpoint), policy))
    })
}

/// Sets how much memory may hold what waits in the outboxes of all servers of the process [512 MiB; 1 MiB
/// to 2^50 bytes], from now on. Over it, the clients with the largest queues lose them and are closed with
/// 1013 "Too slow". What many clients wait for is counted once.
///
/// @return OK; CONFIG: out of bounds
/// @threads any
#[unsafe(no_mangle)]
pub extern "C" fn wsgate_set_outbox_budget(bytes: u64) -> Status {
    guard(|| crate::set_outbox_budget(bytes))
}

/// Sets how much memory may hold the unfinished messages of all clients of the process [512 MiB; 1 MiB to 2^50
/// bytes], from now on: what came of a message whose end has not, as it came, compressed or not. Over it, clients
/// with the longest are closed with 1013 "Server overloaded". It should be more than the longest message, twice that
/// if it comes in fragments.
///
/// @return OK; CONFIG: out of bounds
/// @threads any
#[unsafe(no_mangle)]
pub extern "C" fn wsgate_set_inbox_budget(bytes: u64) -> Status {
    guard(|| crate::set_inbox_budget(bytes))
}

/// Tells that the application has dealt with so many bytes and messages of what a client said; see
/// `wsgate_endpoint_set_explicit_grants`. More than it was given is no credit for later.
///
/// @return OK; CLOSED: the client is gone; INVALID: its endpoint takes no grants
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_grant(
    server: *mut Server,
    client: u64,
    bytes: u64,
    messages: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    guard(|| unsafe { borrow("server", server) }?.running()?.server.grant(ClientId(client), bytes, messages))
}

/// Stops the reading of a client until `wsgate_client_resume`: TCP holds it back. Messages of its that wait
/// to be taken still come; with callbacks, called from the client's own, this is its last. A client that is
/// not read is not pinged by the heartbeat, and its end may not be noticed.
///
/// @return OK, also when it is paused already; CLOSED: the client is gone
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_pause(server: *mut Server, client: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    guard(|| unsafe { borrow("server", server) }?.running()?.server.pause(ClientId(client)))
}

/// Reads a paused client again.
///
/// @return OK, also when it is not paused; CLOSED: the client is gone
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_resume(server: *mut Server, client: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    guard(|| unsafe { borrow("server", server) }?.running()?.server.resume(ClientId(client)))
}

/// Fills `out` with a client's counters and timestamps as they are now: at most `size` bytes, and their
/// number in its first word. `closed_ns` is 0; when the client has closed, CLOSE brings its last figures.
///
/// @param size `sizeof(wsgate_client_counters)`
/// @return OK; CLOSED: the client is gone; INVALID: `out` is NULL, or `size` under 8
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_client_info(
    server: *mut Server,
    client: u64,
    out: *mut Info,
    size: usize,
) -> Status {
    guard(|| -> Result<()> {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        let info = server.running()?.server.client_info(ClientId(client))?;
        // SAFETY: the caller's promise: `out` has `size` bytes.
        unsafe { fill(out, size, &info.to_bytes()) }
    })
}

/// Fills `out` with a server's figures as they are now: at most `size` bytes, and their number in its
/// first word.
///
/// @param size `sizeof(wsgate_server_counters)`
/// @return OK; INVALID: before the start, `out` is NULL, or `size` under 8
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_info(
    server: *mut Server,
    out: *mut ServerInfo,
    size: usize,
) -> Status {
    guard(|| -> Result<()> {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        let info = server.running()?.server.info()?;
        // SAFETY: the caller's promise: `out` has `size` bytes.
        unsafe { fill(out, size, &info.to_bytes()) }
    })
}
