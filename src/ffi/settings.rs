//! What a server is to be: one setter each, before the start.

use std::ffi::c_char;

use crate::config::{EndpointId, GatewayId};

use super::boundary::{borrow, guard, out, text};
use super::server::configure;
use super::{Server, Status};

/// Adds an address to listen on: "127.0.0.1:8080", "[::1]:8080"; with port 0 the system chooses, and
/// `wsgate_server_port` tells. "unix:PATH" is a socket in the file system: a file that a dead server left
/// there is replaced, and it is removed at the stop (`wsgate_server_set_unix_mode`). "fd:3" is a
/// descriptor that listens already; it stays the caller's. May be called several times.
///
/// @return OK; CONFIG: not an address; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_listen(
    server: *mut Server,
    address: *const c_char,
    length: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; `address` has `length` bytes.
        let (server, address) = unsafe { (borrow("server", server)?, text("address", address, length)?) };
        server.build(|config, _| config.listen(address))
    })
}

/// Sets how many worker threads serve the clients: 0 [the default] means one for each core, at most
/// 1,024.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_workers(server: *mut Server, workers: u32) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_workers(workers.into())) }
}

/// Sets which LOG events are raised: a `wsgate_log_level` [WARN] and all more severe.
///
/// @return OK; CONFIG: no such level; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_log_level(server: *mut Server, level: u32) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_log_level(level.into())) }
}

/// Sets how many bytes of events may wait to be taken [16 MiB; 64 KiB to 64 GiB]. Beyond it the
/// sockets are not read, and TCP holds the peers back; nothing is lost. For pull delivery.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_queue_limit(server: *mut Server, bytes: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_queue_limit(bytes)) }
}

/// Adds an endpoint, a path that upgrades to WebSocket. Its number goes to `endpoint`; they count from 0.
///
/// "/chat" is that path alone, as it is sent, the query apart. In "/rooms/:room/users/:user" each
/// parameter stands for one name between slashes; HANDSHAKE and ACCEPT tell it percent-decoded. A path
/// that ends in a slash and "*" is a prefix: it takes all below it, and the rest is told as it is sent, as
/// the parameter "*". An exact path goes before one with parameters, that before a prefix, and a longer
/// prefix before a shorter one.
///
/// @return OK; CONFIG: not a path that begins with "/", or there already; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_add_endpoint(
    server: *mut Server,
    path: *const c_char,
    length: usize,
    endpoint: *mut u32,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; `path` has `length` bytes.
        let (server, path) = unsafe { (borrow("server", server)?, text("path", path, length)?) };
        let endpoint = out("endpoint", endpoint)?;
        let id = server.build(|config, _| config.add_endpoint(path))?;
        // SAFETY: checked above; valid for a write by the caller's promise.
        unsafe { endpoint.write(id.0) };
        Ok(())
    })
}

/// Lets the endpoint's clients join a gateway by themselves, before their ACCEPT is raised.
///
/// @return OK; CLOSED: no such gateway; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_gateway(
    server: *mut Server,
    endpoint: u32,
    gateway: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_gateway(EndpointId(endpoint), GatewayId(gateway))) }
}

/// Sets how long a client's message may be, in bytes [10 MiB; 1 to 1 GiB]. A longer one closes with
/// 1009.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_max_message_size(
    server: *mut Server,
    endpoint: u32,
    bytes: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_max_message_size(EndpointId(endpoint), bytes)) }
}

/// Sets how long a client's frame may be, in bytes [1 MiB; 1 to 1 GiB]. A longer one closes with 1009.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_max_frame_size(
    server: *mut Server,
    endpoint: u32,
    bytes: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_max_frame_size(EndpointId(endpoint), bytes)) }
}

/// Sets how many fragments a client's message may have [65,536; 1 to 2^32]. One more closes with 1009.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_max_fragments(
    server: *mut Server,
    endpoint: u32,
    count: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_max_fragments(EndpointId(endpoint), count)) }
}

/// Sets how long the closing handshake may take, in milliseconds [3,000; 1 to 3,600,000]. A peer that
/// has not answered a Close frame by then is cut.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_close_period(
    server: *mut Server,
    endpoint: u32,
    milliseconds: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_close_period(EndpointId(endpoint), milliseconds)) }
}

/// Sets how much may wait for one client: bytes on the wire [1 MiB; 1 to 1 GiB] and messages [10,000;
/// 1 to 100,000]. Over it a send is refused with FULL; for broadcasts see
/// `wsgate_endpoint_set_slow_consumer`. A message that finds nothing waiting always fits.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_outbox_limit(
    server: *mut Server,
    endpoint: u32,
    bytes: u64,
    messages: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_outbox_limit(EndpointId(endpoint), bytes, messages)) }
}
