//! Calls that concern gateways.

use std::ffi::c_void;

use crate::config::{ClientId, GatewayId};
use crate::error::Result;

use super::boundary::{borrow, bytes, guard, out, slice};
use super::{Server, Status};

/// Makes a gateway, a set of clients that is broadcast to; before or after the start. Its id goes to
/// `gateway`.
///
/// @return OK; FULL: there are 16 million
/// @threads any, callbacks too
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_new(server: *mut Server, gateway: *mut u64) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        let gateway = out("gateway", gateway)?;
        let id = match server.started() {
            Some(server) => server.new_gateway()?,
            None => server.build(|config, _| config.new_gateway())?,
        };
        // SAFETY: checked above; valid for a write by the caller's promise.
        unsafe { gateway.write(id.0) };
        Ok(())
    })
}

/// Ends a gateway. Its id is stale at once; its clients stay connected.
///
/// @return OK; CLOSED: it is gone already; INVALID before the start
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_free(server: *mut Server, gateway: u64) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        unsafe { borrow("server", server) }?.running()?.server.free_gateway(GatewayId(gateway))
    })
}

/// Adds a client to a gateway; nothing changes if it is in it. It leaves by itself when it closes.
///
/// @return OK; CLOSED: one of them is gone
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_add(server: *mut Server, gateway: u64, client: u64) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        server.running()?.server.join_gateway(GatewayId(gateway), ClientId(client))
    })
}

/// Removes a client from a gateway; nothing changes if it is not in it.
///
/// @return OK; CLOSED: one of them is gone
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_remove(server: *mut Server, gateway: u64, client: u64) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        server.running()?.server.leave_gateway(GatewayId(gateway), ClientId(client))
    })
}

/// Sends a text message to every client of a gateway, but not to the `exclude_count` clients in
/// `exclude`; stale ids there are ignored. Encoded once. All that one thread sends, by whatever call,
/// reaches each client in the order of the calls. A client whose outbox is full is closed with 1013.
///
/// @return OK; CLOSED: the gateway is gone; INVALID: not UTF-8; CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_broadcast_text(
    server: *mut Server,
    gateway: u64,
    data: *const c_void,
    length: usize,
    exclude: *const u64,
    exclude_count: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    guard(|| unsafe { broadcast(false, server, gateway, (data, length), (exclude, exclude_count)) })
}

/// Sends a binary message to every client of a gateway; see `wsgate_gateway_broadcast_text`.
///
/// @return OK; CLOSED: the gateway is gone; CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_broadcast_binary(
    server: *mut Server,
    gateway: u64,
    data: *const c_void,
    length: usize,
    exclude: *const u64,
    exclude_count: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    guard(|| unsafe { broadcast(true, server, gateway, (data, length), (exclude, exclude_count)) })
}

/// # Safety
/// `server` is NULL or live; the pointers have as many elements as their lengths say.
unsafe fn broadcast(
    binary: bool,
    server: *mut Server,
    gateway: u64,
    (data, length): (*const c_void, usize),
    (exclude, exclude_count): (*const u64, usize),
) -> Result<()> {
    // SAFETY: as the caller promises.
    let (server, data, exclude) = unsafe {
        (
            borrow("server", server)?,
            bytes("data", data.cast(), length)?,
            slice("exclude", exclude, exclude_count)?,
        )
    };
    server.running()?.server.broadcast(GatewayId(gateway), binary, data, exclude.iter().copied())
}
