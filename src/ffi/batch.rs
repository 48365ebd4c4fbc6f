//! Pull delivery: taking batches of events.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::delivery::Taken;
use crate::error::{Error, ErrorKind, Result};
use crate::worker::desk;

use super::boundary::{borrow, guard, guard_count};
use super::{Batch, Event, Server};

/// What a `wsgate_batch *` points to: the fields that C reads, and the memory behind them.
#[repr(C)]
struct Whole {
    open: Batch,
    taken: Taken,
    busy: AtomicBool,
}

/// Makes an empty batch, for `wsgate_server_take`. It keeps its memory from one take to the next.
///
/// @return the batch, for `wsgate_batch_free`
/// @threads any; a batch belongs to one thread at a time
#[unsafe(no_mangle)]
pub extern "C" fn wsgate_batch_new() -> *mut Batch {
    let mut batch = std::ptr::null_mut();
    guard(|| {
        let whole = Box::new(Whole { open: Batch::EMPTY, taken: Taken::new(), busy: AtomicBool::new(false) });
        batch = Box::into_raw(whole).cast();
        Ok(())
    });
    batch
}

/// Frees a batch, and with it its events' data. NULL is fine.
///
/// @threads any, while nobody takes into it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_batch_free(batch: *mut Batch) {
    guard(|| {
        if !batch.is_null() {
            // SAFETY: made by `wsgate_batch_new` as a `Whole`, and not freed, as the caller promises.
            drop(unsafe { Box::from_raw(batch.cast::<Whole>()) });
        }
        Ok(())
    });
}

/// Takes the events that wait into `batch`, whose earlier content is overwritten, and whose fields then
/// describe them. Waits for the first event up to `timeout_ms` milliseconds: 0 does not wait, a negative
/// number waits for ever. Returns early, with 0, when a signal comes, so that the host's handlers run.
/// At most `max` events are taken; 0 sets no bound. Not all that waits need come at once: the batch's
/// `pending` tells how many are left.
///
/// With one worker (`wsgate_server_set_workers`), a call that waits runs that worker on the caller's own
/// thread, which saves two thread switches a batch; while the caller does something else, the worker's
/// thread stands in for it. With several workers, or several takers, the workers' threads do all.
///
/// Taking again tells the engine that the events before have been dealt with, by whichever thread took
/// them: the end of a client that closed behind a question waits for that, so that the answer goes out
/// first, until the close period is over.
///
/// @return how many events, or a negative status: CLOSED once STOPPED was taken; INVALID before the
/// start, or for a server with callbacks; BUSY: another thread takes into this batch; REENTRANT inside
/// a callback
/// @threads any; events come in order to one taker at a time
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_take(
    server: *mut Server,
    batch: *mut Batch,
    max: u64,
    timeout_ms: i32,
) -> i32 {
    guard_count(|| {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        server.here()?;
        if desk::in_engine() {
            return Err(Error::new(ErrorKind::Reentrant, "a callback can't wait for events"));
        }
        let running = server.running()?;
        let queue = running.queue.as_ref().ok_or_else(|| {
            Error::invalid("the server has callbacks: its events go there, none can be taken")
        })?;
        if batch.is_null() {
            return Err(Error::invalid("batch is NULL"));
        }
        let whole: *mut Whole = batch.cast();
        // SAFETY: not NULL, so made by `wsgate_batch_new` as a `Whole` and live; a shared look at its
        // flag is fine whoever else has it.
        let busy = unsafe { &(*whole).busy };
        if busy.swap(true, Ordering::Acquire) {
            return Err(Error::new(ErrorKind::Busy, "another thread takes into this batch"));
        }
        // SAFETY: the flag makes this thread the only one here; the fields apart from the flag are
        // borrowed one by one, so that the flag may be looked at meanwhile.
        let (open, taken) = unsafe { (&mut (*whole).open, &mut (*whole).taken) };
        let timeout = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        *open = Batch::EMPTY;
        let result = queue.take(taken, max, timeout).map(|_| show(taken, open));
        busy.store(false, Ordering::Release);
        result
    })
}

/// Makes the open fields describe what was taken, and the offsets addresses.
fn show(taken: &mut Taken, open: &mut Batch) -> i32 {
    let payload = taken.payload();
    let (address, payload_length) = (payload.as_ptr(), payload.len());
    let pending = taken.pending();
    let records = taken.records_mut();
    for record in records.iter_mut() {
        record.data += address.expose_provenance() as u64;
    }
    *open = Batch {
        events: records.as_ptr().cast::<Event>(),
        event_size: size_of::<Event>() as u64,
        count: records.len() as u64,
        payload: address.cast(),
        payload_length: payload_length as u64,
        pending,
    };
    i32::try_from(records.len()).unwrap_or(i32::MAX)
}

impl Batch {
    const EMPTY: Self = Self {
        events: std::ptr::null(),
        event_size: size_of::<Event>() as u64,
        count: 0,
        payload: std::ptr::null(),
        payload_length: 0,
        pending: 0,
    };
}

/// A descriptor that is readable exactly while events wait: for `poll`, `epoll` (level-triggered), or an
/// event loop. Take with a timeout of 0 when it is. It stays the library's: never read or close it.
///
/// @return the descriptor, or a negative status: INVALID before the start, or for a server with
/// callbacks
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_fd(server: *mut Server) -> i32 {
    guard_count(|| -> Result<i32> {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        server.here()?;
        let running = server.running()?;
        let queue = running
            .queue
            .as_ref()
            .ok_or_else(|| Error::invalid("the server has callbacks: there is nothing to take"))?;
        Ok(queue.fd())
    })
}
