//! Decisions on handshakes, and answers to requests.

use std::ffi::{c_char, c_void};

use crate::config::{ClientId, RequestId};
use crate::error::{Error, Result};
use crate::front::Field;

use super::boundary::{borrow, bytes, guard, out, slice, text};
use super::{AcceptFlag, Server, Status};

/// Reads headers as C passes them: each name and each value with a NUL behind it.
pub(super) fn fields(block: &[u8]) -> Result<Vec<Field<'_>>> {
    let Some(block) = block.strip_suffix(b"\0") else {
        return match block {
            [] => Ok(Vec::new()),
            _ => {
                Err(Error::invalid("headers do not end in a NUL: each name and each value has one behind it"))
            }
        };
    };
    let texts: Vec<&[u8]> = block.split(|byte| *byte == 0).collect();
    let (pairs, left) = texts.as_chunks::<2>();
    if !left.is_empty() {
        return Err(Error::invalid("headers have a name without a value: each has a NUL behind it"));
    }
    Ok(pairs.iter().map(|[name, value]| (*name, *value)).collect())
}

/// Borrows a running server, and a response for it to give.
///
/// # Safety
/// `server` is NULL or live; `headers` and `body` point to as many bytes as their lengths say.
unsafe fn answer<'a>(
    server: *const Server,
    headers: *const c_char,
    headers_length: usize,
    body: *const c_void,
    body_length: usize,
) -> Result<(&'a crate::Server, Vec<Field<'a>>, &'a [u8])> {
    // SAFETY: as the caller promises.
    let (server, headers, body) = unsafe {
        (
            borrow("server", server)?,
            bytes("headers", headers.cast(), headers_length)?,
            bytes("body", body.cast(), body_length)?,
        )
    };
    Ok((&server.running()?.server, fields(headers)?, body))
}

/// What the flags of an accept say.
pub(super) fn streams(flags: u32) -> Result<bool> {
    let known = AcceptFlag::Streaming as u32;
    match flags & !known {
        0 => Ok(flags & known != 0),
        _ => Err(Error::invalid(format!("flags are {flags:#x}, and {known:#x} is known"))),
    }
}

/// Accepts a handshake of an endpoint with `wsgate_endpoint_set_acceptor`: the HANDSHAKE's id is the
/// client's from now on. What is sent to it reaches it first, also when that is sent before its ACCEPT;
/// it can join gateways. After OK there come one ACCEPT and one CLOSE, always.
///
/// @param subprotocol one of those the client offers; with a length of 0, none; NULL: the one that the
/// endpoint's list (`wsgate_endpoint_add_subprotocol`) makes of the offer
/// @param headers for the response: a name, a NUL, its value, a NUL, and so on; in C the literal
/// `"Set-Cookie\0a=1"` with its `sizeof`. None of those that the handshake itself sets, and no control
/// characters
/// @param flags `wsgate_accept_flag` bits
/// @param user_data a word that comes with each of the client's events, as by
/// `wsgate_client_set_user_data`
/// @return OK; CLOSED: it is decided already, or gone; INVALID: a header or the subprotocol is bad, and
/// the handshake still waits
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_accept(
    server: *mut Server,
    handshake: u64,
    subprotocol: *const c_char,
    subprotocol_length: usize,
    headers: *const c_char,
    headers_length: usize,
    flags: u32,
    user_data: u64,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; each pointer has its length of bytes.
        let (server, chosen, headers) = unsafe {
            (
                borrow("server", server)?,
                text("subprotocol", subprotocol, subprotocol_length)?,
                bytes("headers", headers.cast(), headers_length)?,
            )
        };
        let streams = streams(flags)?;
        let chosen = (!subprotocol.is_null()).then_some(chosen);
        let (handshake, headers) = (ClientId(handshake), fields(headers)?);
        server.running()?.server.accept_as(handshake, chosen, &headers, user_data, streams)
    })
}

/// Rejects a handshake: the peer gets this response, and the id is stale.
///
/// @param status 300 to 599
/// @param headers as in `wsgate_accept`; not those that frame the message, as Content-Length. Upgrade with
/// the status 426 alone, which has `Upgrade: websocket` without one
/// @return OK; CLOSED: it is decided already, or gone; INVALID: the status or a header is bad, and the
/// handshake still waits
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_reject(
    server: *mut Server,
    handshake: u64,
    status: u32,
    headers: *const c_char,
    headers_length: usize,
    body: *const c_void,
    body_length: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; each pointer has its length of bytes.
        let (server, headers, body) = unsafe { answer(server, headers, headers_length, body, body_length) }?;
        server.reject(ClientId(handshake), status, &headers, body)
    })
}

/// Answers a REQUEST: the peer gets this response. A HEAD request is answered as a GET would be, and the
/// body left out. A text that is long enough to gain by it is compressed for a peer that takes gzip, unless
/// the headers have a Content-Encoding. No event tells that the peer has left meanwhile; the answer says so.
///
/// @param status 200 to 599
/// @param headers as in `wsgate_reject`
/// @return OK; CLOSED: it is answered already, timed out, or the peer has left; INVALID: the status or a
/// header is bad, or 204 or 304 has a body, and the request still waits
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_respond(
    server: *mut Server,
    request: u64,
    status: u32,
    headers: *const c_char,
    headers_length: usize,
    body: *const c_void,
    body_length: usize,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; each pointer has its length of bytes.
        let (server, headers, body) = unsafe { answer(server, headers, headers_length, body, body_length) }?;
        server.respond(RequestId(request), status, &headers, body)
    })
}

/// Reads a header of a HANDSHAKE or REQUEST that still waits, whatever the name's case. Several lines are
/// joined by ", ", those of Cookie by "; ". At most `size` bytes are written to `value`, without a NUL;
/// the whole length goes to `length`, UINT64_MAX when there is no such header.
///
/// @return OK; CLOSED: it is decided or answered already, or gone; INVALID: no header could have this
/// name
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_handshake_header(
    server: *mut Server,
    handshake: u64,
    name: *const c_char,
    name_length: usize,
    value: *mut c_char,
    size: usize,
    length: *mut u64,
) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live; `name` has `name_length` bytes.
        let (server, name) = unsafe { (borrow("server", server)?, text("name", name, name_length)?) };
        // SAFETY: only checked here: not NULL, or no room; of a possible length.
        unsafe { slice("value", value.cast_const(), size)? };
        let length = out("length", length)?;
        let found = server.running()?.server.pending_header(handshake, name)?;
        if let Some(found) = &found {
            // SAFETY: `value` has room for `size` bytes by the caller's promise, and `found` is another memory.
            unsafe { std::ptr::copy_nonoverlapping(found.as_ptr(), value.cast(), found.len().min(size)) };
        }
        // SAFETY: checked above; valid for a write by the caller's promise.
        unsafe { length.write(found.map_or(u64::MAX, |found| found.len() as u64)) };
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_pairs_with_a_nul_behind_each_text() {
        assert_eq!(fields(b"").unwrap(), []);
        assert_eq!(fields(b"a\0b\0").unwrap(), [(&b"a"[..], &b"b"[..])]);
        assert_eq!(fields(b"a\0\0c\0d\0").unwrap(), [(&b"a"[..], &b""[..]), (b"c", b"d")]);
        for broken in [&b"a"[..], b"a\0b", b"a\0", b"\0", b"a\0b\0c\0"] {
            assert!(fields(broken).is_err(), "{broken:?}");
        }
    }
}
