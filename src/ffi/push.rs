//! Push delivery: the application's callbacks.

use std::ffi::c_void;
use std::sync::Arc;

use crate::delivery::Handler;
use crate::error::{Error, Result};
use crate::event::{self, Kind};
use crate::server::Handle;

use super::boundary::{borrow, guard};
use super::{Event, Server, Status};

/// Takes one event. `event` and its data are borrowed until it returns. Called on the library's own
/// threads: one at a time and in order for one client, in parallel for clients of different workers.
/// It may send, close and broadcast; it must not block, and not leave by `longjmp` or an exception.
pub type EventFn =
    Option<unsafe extern "C" fn(server: *mut Server, event: *const Event, user_data: *mut c_void)>;

/// Frees a callback's user data: called once, after the last callback that was given it.
pub type FreeFn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// The application's pointer, and how it is freed.
struct UserData {
    pointer: *mut c_void,
    free: FreeFn,
}

// SAFETY: it is the application's pointer, handed back to it and never followed here; that it may be
// used from the library's threads is part of the callbacks' contract.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: the function and the pointer came together; this is the only drop.
            unsafe { free(self.pointer) };
        }
    }
}

#[derive(Clone)]
struct Callback {
    call: unsafe extern "C" fn(server: *mut Server, event: *const Event, user_data: *mut c_void),
    data: Arc<UserData>,
}

/// A server's callbacks.
#[derive(Clone, Default)]
pub(super) struct Callbacks {
    accept: Option<Callback>,
    message: Option<Callback>,
    close: Option<Callback>,
    log: Option<Callback>,
    other: Option<Callback>,
    server: ServerPointer,
}

/// What callbacks get as their `server`.
#[derive(Clone, Copy)]
struct ServerPointer(*mut Server);

impl Default for ServerPointer {
    fn default() -> Self {
        Self(std::ptr::null_mut())
    }
}

// SAFETY: handed to callbacks, never followed here; the server outlives its threads.
unsafe impl Send for ServerPointer {}
// SAFETY: as above.
unsafe impl Sync for ServerPointer {}

impl Callbacks {
    /// Whether none is set: then it is a pull server.
    pub(super) fn is_empty(&self) -> bool {
        [&self.accept, &self.message, &self.close, &self.log, &self.other].iter().all(|c| c.is_none())
    }

    /// The callbacks of this server, for its threads.
    pub(super) fn share(&self, server: *mut Server) -> Self {
        Self { server: ServerPointer(server), ..self.clone() }
    }
}

impl Handler for Callbacks {
    #[inline]
    fn on_event(&self, _: &Handle, event: &event::Event<'_>) {
        let own = match event.kind {
            Kind::Accept => &self.accept,
            Kind::Message | Kind::Begin | Kind::Chunk | Kind::End => &self.message,
            Kind::Close => &self.close,
            Kind::Log => &self.log,
            _ => &self.other,
        };
        let Some(callback) = own.as_ref().or(self.other.as_ref()) else { return };
        let record = Event {
            kind: event.kind as u32,
            flags: event.flags,
            client: event.client,
            user_data: event.user_data,
            data: event.data.as_ptr().cast(),
            length: event.data.len() as u64,
            code: event.code,
            endpoint: event.endpoint,
            value: event.value,
            time_ns: event.time_ns,
        };
        // SAFETY: the application's function, with the data that came with it; `record` and what it
        // points to live until it returns.
        unsafe { (callback.call)(self.server.0, &raw const record, callback.data.pointer) };
    }
}

/// Sets one callback. On success it owns `user_data`, and a callback that was there before is freed.
fn set(
    server: *mut Server,
    call: EventFn,
    user_data: *mut c_void,
    free: FreeFn,
    slot: fn(&mut Callbacks) -> &mut Option<Callback>,
) -> Status {
    let mut before = None;
    let status = guard(|| {
        let call = call.ok_or_else(|| Error::invalid("fn is NULL"))?;
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        server.build(|_, callbacks| -> Result<()> {
            let data = Arc::new(UserData { pointer: user_data, free });
            before = slot(callbacks).replace(Callback { call, data });
            Ok(())
        })
    });
    // Freed outside of the lock: the application's function may call us again.
    drop(before);
    status
}

/// Sets the callback for ACCEPT. Any callback makes the server a push server.
///
/// On success the server owns `user_data` and calls `free_user_data` with it (unless NULL) once, after
/// the last callback: when the server is freed, or another callback takes its place. On failure it
/// stays the caller's.
///
/// @return OK; INVALID: `fn` is NULL, or after the start
/// @threads any; the callback runs on the library's
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_on_accept(
    server: *mut Server,
    r#fn: EventFn,
    user_data: *mut c_void,
    free_user_data: FreeFn,
) -> Status {
    set(server, r#fn, user_data, free_user_data, |callbacks| &mut callbacks.accept)
}

/// Sets the callback for MESSAGE, and for BEGIN, CHUNK and END of those that come in chunks; see `wsgate_server_on_accept`.
///
/// @return OK; INVALID: `fn` is NULL, or after the start
/// @threads any; the callback runs on the library's
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_on_message(
    server: *mut Server,
    r#fn: EventFn,
    user_data: *mut c_void,
    free_user_data: FreeFn,
) -> Status {
    set(server, r#fn, user_data, free_user_data, |callbacks| &mut callbacks.message)
}

/// Sets the callback for CLOSE; see `wsgate_server_on_accept`.
///
/// @return OK; INVALID: `fn` is NULL, or after the start
/// @threads any; the callback runs on the library's
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_on_close(
    server: *mut Server,
    r#fn: EventFn,
    user_data: *mut c_void,
    free_user_data: FreeFn,
) -> Status {
    set(server, r#fn, user_data, free_user_data, |callbacks| &mut callbacks.close)
}

/// Sets the callback for LOG; see `wsgate_server_on_accept`. Log lines come from all of the library's
/// threads, also two at a time.
///
/// @return OK; INVALID: `fn` is NULL, or after the start
/// @threads any; the callback runs on the library's
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_on_log(
    server: *mut Server,
    r#fn: EventFn,
    user_data: *mut c_void,
    free_user_data: FreeFn,
) -> Status {
    set(server, r#fn, user_data, free_user_data, |callbacks| &mut callbacks.log)
}

/// Sets the callback for all events that have none of their own (PONG, DRAIN, STOPPED, and kinds that
/// later versions add); see `wsgate_server_on_accept`.
///
/// @return OK; INVALID: `fn` is NULL, or after the start
/// @threads any; the callback runs on the library's
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_on_event(
    server: *mut Server,
    r#fn: EventFn,
    user_data: *mut c_void,
    free_user_data: FreeFn,
) -> Status {
    set(server, r#fn, user_data, free_user_data, |callbacks| &mut callbacks.other)
}
