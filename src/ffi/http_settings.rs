//! What holds before a connection is a client: one setter each, before the start.

use std::ffi::c_char;

use crate::config::EndpointId;

use super::boundary::{borrow, guard, text};
use super::server::configure;
use super::{Server, Status};

/// Serves the files of a directory to GET and HEAD requests that no endpoint takes [none: 404].
/// Files and directories whose names begin with a dot are not served.
///
/// @return OK; CONFIG: not a directory; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_directory(
    server: *mut Server,
    path: *const c_char,
    length: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; `path` has `length` bytes.
        let (server, path) = unsafe { (borrow("server", server)?, text("path", path, length)?) };
        server.build(|config, _| config.set_directory(path))
    })
}

/// Serves the files of a directory below a path of its own: with the prefix "/assets", its file app.js is
/// "/assets/app.js". May be called several times; the longest prefix goes first.
///
/// @return OK; CONFIG: not a directory, not a path that begins with "/", or there already; INVALID after
/// the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_add_directory(
    server: *mut Server,
    prefix: *const c_char,
    prefix_length: usize,
    path: *const c_char,
    path_length: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; each pointer has its length of bytes.
        let (server, prefix, path) = unsafe {
            (
                borrow("server", server)?,
                text("prefix", prefix, prefix_length)?,
                text("path", path, path_length)?,
            )
        };
        server.build(|config, _| config.add_directory(prefix, path))
    })
}

/// Lets the application answer requests that neither an endpoint nor a file takes [0: they get 404]:
/// each raises REQUEST and waits for `wsgate_respond`.
///
/// @return OK; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_requests(server: *mut Server, on: u32) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        unsafe { borrow("server", server) }?.build(|config, _| {
            config.set_requests(on != 0);
            Ok(())
        })
    })
}

/// Sets how long a REQUEST waits for `wsgate_respond`, in milliseconds [30,000; 1 to 3,600,000]. Then it
/// is answered with 503.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_request_timeout(server: *mut Server, milliseconds: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_request_timeout(milliseconds)) }
}

/// Lets the application shape what a refused request is told: refused upgrades, and what is not found.
/// Each raises REQUEST with `WSGATE_EVENT_FLAG_REFUSED` and the status in `code`, and waits so many
/// milliseconds for `wsgate_respond` [0: it is not asked; at most 60,000]; then it gets the server's own
/// text. No more than 64 wait at a time: the others are not asked about.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_error_pages(server: *mut Server, milliseconds: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_error_pages(milliseconds)) }
}

/// Sets how long the body of a request may be, in bytes [128 KiB; 0 to 1 GiB]. A longer one gets 413.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_max_body_size(server: *mut Server, bytes: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_max_body_size(bytes)) }
}

/// Sets how many connections there may be at once, clients among them [1,000; 0 to 2^24; 0: no limit]. One
/// more is told 503 and closed.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_max_connections(server: *mut Server, count: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_max_connections(count)) }
}

/// Sets how many connections there may be at once from one address, or from one network of 56 bits in IPv6
/// [10; 0 to 2^24; 0: no limit]. Loopback and Unix sockets are exempt. One more is told 503 and closed.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_max_connections_per_address(
    server: *mut Server,
    count: u64,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        unsafe { borrow("server", server) }?.build(|config, _| config.set_max_connections_per_address(count))
    })
}

/// Sets how many handshakes and requests may wait for the application at once [1,000; 1 to 2^20]. One more is
/// answered with 503.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_max_requests(server: *mut Server, count: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_max_requests(count)) }
}

/// Sets how long the head of a request may be, in bytes [32 KiB; 256 to 1 MiB]. A longer one gets 431.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_max_header_size(server: *mut Server, bytes: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_max_header_size(bytes)) }
}

/// Sets how long the head of a request may take, in milliseconds [15,000; 1 to 3,600,000]. Then it gets 408.
/// The first one is counted from the connection's start, and one that was not begun is closed without a word.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_header_timeout(server: *mut Server, milliseconds: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_header_timeout(milliseconds)) }
}

/// Sets how long the body of a request may take, in milliseconds [30,000; 1 to 3,600,000]. Then it gets 408.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_body_timeout(server: *mut Server, milliseconds: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_body_timeout(milliseconds)) }
}

/// Sets how long a connection may ask nothing between two requests, in milliseconds [60,000; 1 to 3,600,000].
/// Then it is closed. It does not concern clients.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_idle_timeout(server: *mut Server, milliseconds: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_idle_timeout(milliseconds)) }
}

/// Sets how long a peer may take nothing of a response, in milliseconds [30,000; 1 to 3,600,000]. Then it is
/// cut. It does not concern clients.
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_write_timeout(server: *mut Server, milliseconds: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_write_timeout(milliseconds)) }
}

/// Sets how long files may be cached without asking again, in seconds [0: that is left to the peer; at most
/// 31,536,000].
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_cache_time(server: *mut Server, seconds: u64) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_cache_time(seconds)) }
}

/// Sets the permissions of the files of Unix sockets [0660 in octal; 0 to 0777].
///
/// @return OK; CONFIG: out of bounds; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_unix_mode(server: *mut Server, mode: u32) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_unix_mode(mode.into())) }
}

/// Sets which methods requests may have: a list separated by commas ["GET, HEAD, POST, PUT, PATCH, DELETE,
/// OPTIONS"]. Others get 405. Endpoints take GET alone.
///
/// @return OK; CONFIG: not a list of methods; INVALID after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_set_methods(
    server: *mut Server,
    methods: *const c_char,
    length: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; `methods` has `length` bytes.
        let (server, methods) = unsafe { (borrow("server", server)?, text("methods", methods, length)?) };
        server.build(|config, _| config.set_methods(methods))
    })
}

/// Allows an `Origin`: `https://example.org`. With `*.` in front of the host it allows all hosts below
/// that, but not the host itself; such a pattern may do without the scheme, `*.example.org`. While an
/// endpoint has none, every origin is allowed; once it has one, others and requests without an Origin are
/// refused with 403 "Origin forbidden".
///
/// @return OK; CONFIG: not an origin; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_add_origin(
    server: *mut Server,
    endpoint: u32,
    origin: *const c_char,
    length: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; `origin` has `length` bytes.
        let (server, origin) = unsafe { (borrow("server", server)?, text("origin", origin, length)?) };
        server.build(|config, _| config.add_origin(EndpointId(endpoint), origin))
    })
}

/// Allows an `Origin` whose host and port are those of the request's `Host` [0: only those that were
/// added, if any]. The other origins that were added are allowed, too.
///
/// @return OK; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_same_host(
    server: *mut Server,
    endpoint: u32,
    on: u32,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_same_host(EndpointId(endpoint), on != 0)) }
}

/// Adds a subprotocol that the endpoint speaks (RFC 6455 section 1.9). Of those that a client offers, the
/// one that was added first is agreed upon; without any of them the client is accepted without one.
///
/// @return OK; CONFIG: not a token; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_add_subprotocol(
    server: *mut Server,
    endpoint: u32,
    name: *const c_char,
    length: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; `name` has `length` bytes.
        let (server, name) = unsafe { (borrow("server", server)?, text("name", name, length)?) };
        server.build(|config, _| config.add_subprotocol(EndpointId(endpoint), name))
    })
}

/// Lets the application decide on the endpoint's handshakes [0: all that pass the checks are accepted]:
/// each raises HANDSHAKE and waits for `wsgate_accept` or `wsgate_reject`.
///
/// @return OK; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_acceptor(server: *mut Server, endpoint: u32, on: u32) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_acceptor(EndpointId(endpoint), on != 0)) }
}

/// Sets how long a HANDSHAKE waits for its decision, in milliseconds [10,000; 1 to 3,600,000]. Then it is
/// answered with 503, and HANDSHAKE_GONE is raised.
///
/// @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_endpoint_set_handshake_timeout(
    server: *mut Server,
    endpoint: u32,
    milliseconds: u64,
) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    unsafe { configure(server, |config| config.set_handshake_timeout(EndpointId(endpoint), milliseconds)) }
}
