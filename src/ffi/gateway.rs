//! Calls that concern gateways.

use std::ffi::{c_char, c_void};

use crate::config::{ClientId, GatewayId};
use crate::error::{Error, Result};

use super::boundary::{borrow, bytes, guard, guard_count, out, slice, slice_mut, text};
use super::message::{BINARY, TEXT, flagged};
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
/// @return OK; CLOSED: one of them is gone; FULL: 64 MiB of commands wait for a worker that is busy
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
/// @return OK; CLOSED: one of them is gone; FULL: 64 MiB of commands wait for a worker that is busy
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_remove(server: *mut Server, gateway: u64, client: u64) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        server.running()?.server.leave_gateway(GatewayId(gateway), ClientId(client))
    })
}

/// How many clients a gateway has. An add or remove counts once the client's worker has come to it,
/// which is soon after the call.
///
/// @return the count; CLOSED: the gateway is gone
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_count(server: *mut Server, gateway: u64) -> i32 {
    guard_count(|| {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        let count = match server.started() {
            Some(server) => server.gateway_count(GatewayId(gateway))?,
            None => server.build(|config, _| config.gateways.count(GatewayId(gateway)))? as u64,
        };
        Ok(count as i32)
    })
}

/// Lists the clients of a gateway, in no order, as they were at one moment: an add or remove is seen
/// once the client's worker has come to it, which is soon after the call. Any of them may close at any
/// time.
///
/// @param clients gets at most `capacity` ids; may be NULL when that is 0
/// @return how many there are, which may be more than `capacity`; CLOSED: the gateway is gone
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_clients(
    server: *mut Server,
    gateway: u64,
    clients: *mut u64,
    capacity: usize,
) -> i32 {
    guard_count(|| {
        // SAFETY: the caller's promise: NULL or live; `clients` has `capacity` elements.
        let (server, clients) =
            unsafe { (borrow("server", server)?, slice_mut("clients", clients, capacity)?) };
        let count = match server.started() {
            Some(server) => server.list_gateway(GatewayId(gateway), clients)?,
            None => server.build(|config, _| config.gateways.list(GatewayId(gateway), clients))?,
        };
        Ok(count as i32)
    })
}

/// Gives a gateway a name, by which `wsgate_gateway_find` finds it; before or after the start. Within a
/// server a name belongs to one gateway, until that is renamed or freed. An empty name takes its name
/// away.
///
/// @param name UTF-8, at most 255 bytes; copied
/// @return OK; BUSY: another gateway has the name; CLOSED: the gateway is gone; CONFIG: too long;
/// INVALID: not UTF-8
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_set_name(
    server: *mut Server,
    gateway: u64,
    name: *const c_char,
    length: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; `name` has `length` bytes.
        let (server, name) = unsafe { (borrow("server", server)?, text("name", name, length)?) };
        match server.started() {
            Some(server) => server.set_gateway_name(GatewayId(gateway), name),
            None => server.build(|config, _| config.set_gateway_name(GatewayId(gateway), name)),
        }
    })
}

/// A gateway's name, without a NUL behind it.
///
/// @param name gets at most `capacity` bytes; may be NULL when that is 0
/// @return the name's length, 0 when it has none; CLOSED: the gateway is gone; INVALID: `capacity` is less
/// than that (nothing is written)
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_name(
    server: *mut Server,
    gateway: u64,
    name: *mut c_char,
    capacity: usize,
) -> i32 {
    guard_count(|| {
        // SAFETY: the caller's promise: NULL or live; `name` has `capacity` bytes.
        let (server, name) =
            unsafe { (borrow("server", server)?, slice_mut("name", name.cast::<u8>(), capacity)?) };
        let own = match server.started() {
            Some(server) => server.gateway_name(GatewayId(gateway))?,
            None => server.build(|config, _| config.gateways.name(GatewayId(gateway)))?,
        };
        let place = name.get_mut(..own.len()).ok_or_else(|| {
            Error::invalid(format!("capacity is {capacity}, and the name has {} bytes", own.len()))
        })?;
        place.copy_from_slice(own.as_bytes());
        Ok(own.len() as i32)
    })
}

/// Finds the gateway of this name; its id goes to `gateway`.
///
/// @return OK; CLOSED: this server has none; INVALID: not UTF-8
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_find(
    server: *mut Server,
    name: *const c_char,
    length: usize,
    gateway: *mut u64,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; `name` has `length` bytes.
        let (server, name) = unsafe { (borrow("server", server)?, text("name", name, length)?) };
        let gateway = out("gateway", gateway)?;
        let id = match server.started() {
            Some(server) => server.find_gateway(name)?,
            None => server.build(|config, _| config.gateways.find(name))?,
        };
        // SAFETY: checked above; valid for a write by the caller's promise.
        unsafe { gateway.write(id.0) };
        Ok(())
    })
}

/// Sends a text message to every client of a gateway, but not to the `exclude_count` clients in
/// `exclude`; stale ids there are ignored. Encoded once. All that one thread sends, by whatever call,
/// reaches each client in the order of the calls. A client whose outbox is full is closed with 1013.
///
/// @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
/// INVALID: not UTF-8; CONFIG: over 1 GiB
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
    guard(|| unsafe {
        cast(Whom::AllBut, TEXT, server, gateway, (data, length), (exclude, exclude_count), None)
    })
}

/// Sends a binary message to every client of a gateway; see `wsgate_gateway_broadcast_text`.
///
/// @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
/// CONFIG: over 1 GiB
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
    guard(|| unsafe {
        cast(Whom::AllBut, BINARY, server, gateway, (data, length), (exclude, exclude_count), None)
    })
}

/// Sends a text message to those clients of a gateway that are among the `client_count` ids in `clients`.
/// Ids that are stale or not in the gateway are skipped; one that is there twice counts once. Otherwise as
/// `wsgate_gateway_broadcast_text`; only the workers of these clients are troubled.
///
/// @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
/// INVALID: not UTF-8; CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_multicast_text(
    server: *mut Server,
    gateway: u64,
    data: *const c_void,
    length: usize,
    clients: *const u64,
    client_count: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    guard(|| unsafe {
        cast(Whom::Only, TEXT, server, gateway, (data, length), (clients, client_count), None)
    })
}

/// Sends a binary message to chosen clients of a gateway; see `wsgate_gateway_multicast_text`.
///
/// @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
/// CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_multicast_binary(
    server: *mut Server,
    gateway: u64,
    data: *const c_void,
    length: usize,
    clients: *const u64,
    client_count: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    guard(|| unsafe {
        cast(Whom::Only, BINARY, server, gateway, (data, length), (clients, client_count), None)
    })
}

/// Sends a text message to one client, if it is in the gateway: a multicast to one. Unlike
/// `wsgate_client_send_text` it is skipped when the client is not there, and a client whose outbox is full
/// is treated as in a broadcast.
///
/// @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
/// INVALID: not UTF-8; CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_send_text(
    server: *mut Server,
    gateway: u64,
    client: u64,
    data: *const c_void,
    length: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    guard(|| unsafe { cast(Whom::Only, TEXT, server, gateway, (data, length), (&raw const client, 1), None) })
}

/// Sends a binary message to one client, if it is in the gateway; see `wsgate_gateway_send_text`.
///
/// @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
/// CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_send_binary(
    server: *mut Server,
    gateway: u64,
    client: u64,
    data: *const c_void,
    length: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    guard(|| unsafe {
        cast(Whom::Only, BINARY, server, gateway, (data, length), (&raw const client, 1), None)
    })
}

/// Sends a message to every client of a gateway, but not to the `exclude_count` clients in `exclude`; see
/// `wsgate_gateway_broadcast_text`. What is compressed, is compressed once for all clients who can take the
/// same.
///
/// @param flags `wsgate_send_flag` bits
/// @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
/// INVALID: not UTF-8, or flags that are none; CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_broadcast(
    server: *mut Server,
    gateway: u64,
    flags: u32,
    data: *const c_void,
    length: usize,
    exclude: *const u64,
    exclude_count: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    guard(|| unsafe {
        cast(Whom::AllBut, flags, server, gateway, (data, length), (exclude, exclude_count), None)
    })
}

/// Sends a message to those clients of a gateway that are among the `client_count` ids in `clients`; see
/// `wsgate_gateway_multicast_text`.
///
/// @param flags `wsgate_send_flag` bits
/// @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
/// INVALID: not UTF-8, or flags that are none; CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_multicast(
    server: *mut Server,
    gateway: u64,
    flags: u32,
    data: *const c_void,
    length: usize,
    clients: *const u64,
    client_count: usize,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    guard(|| unsafe {
        cast(Whom::Only, flags, server, gateway, (data, length), (clients, client_count), None)
    })
}

/// A broadcast that tells what became of it: after OK one OUTCOME with this ticket comes, always, and before
/// STOPPED. Until it is taken (or its callback has returned) it uses space of the queue limit, 128 bytes.
///
/// A client counts as delivered when the message has left its outbox, which means that the operating
/// system has taken its last byte; it counts as failed when it is closing or gone before, when it is too
/// slow, or when its connection breaks before that byte is written. Members that are excluded count for
/// neither.
///
/// @param flags `wsgate_send_flag` bits
/// @param ticket the caller's own number; need not be unique
/// @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy, or
/// there is no space for the outcome: take events first; INVALID: not UTF-8, or flags that are none;
/// CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_broadcast_with_outcome(
    server: *mut Server,
    gateway: u64,
    flags: u32,
    data: *const c_void,
    length: usize,
    exclude: *const u64,
    exclude_count: usize,
    ticket: u64,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    guard(|| unsafe {
        cast(Whom::AllBut, flags, server, gateway, (data, length), (exclude, exclude_count), Some(ticket))
    })
}

/// A multicast that tells what became of it; see `wsgate_gateway_broadcast_with_outcome`. Ids that are
/// skipped have failed: delivered and failed add up to the different ids in `clients`.
///
/// @param flags `wsgate_send_flag` bits
/// @param ticket the caller's own number; need not be unique
/// @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy, or
/// there is no space for the outcome: take events first; INVALID: not UTF-8, or flags that are none;
/// CONFIG: over 1 GiB
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_gateway_multicast_with_outcome(
    server: *mut Server,
    gateway: u64,
    flags: u32,
    data: *const c_void,
    length: usize,
    clients: *const u64,
    client_count: usize,
    ticket: u64,
) -> Status {
    // SAFETY: the caller's promise, passed on.
    guard(|| unsafe {
        cast(Whom::Only, flags, server, gateway, (data, length), (clients, client_count), Some(ticket))
    })
}

/// What the ids of a message to many mean.
enum Whom {
    AllBut,
    Only,
}

/// # Safety
/// `server` is NULL or live; the pointers have as many elements as their lengths say.
unsafe fn cast(
    whom: Whom,
    flags: u32,
    server: *mut Server,
    gateway: u64,
    (data, length): (*const c_void, usize),
    (ids, count): (*const u64, usize),
    ticket: Option<u64>,
) -> Result<()> {
    let name = match whom {
        Whom::AllBut => "exclude",
        Whom::Only => "clients",
    };
    // SAFETY: as the caller promises.
    let (server, data, ids) =
        unsafe { (borrow("server", server)?, bytes("data", data.cast(), length)?, slice(name, ids, count)?) };
    let message = flagged(flags, data)?;
    let (server, gateway, ids) = (&server.running()?.server, GatewayId(gateway), ids.iter().copied());
    match whom {
        Whom::AllBut => server.broadcast_except(gateway, message, ids, ticket),
        Whom::Only => server.multicast_among(gateway, message, ids, ticket),
    }
}
