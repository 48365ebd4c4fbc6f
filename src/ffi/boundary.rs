//! The boundary's mechanics: the panic guard, the last error, borrowed arguments, out-parameters.

use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use once_cell::sync::OnceCell;

use crate::error::{Error, ErrorKind, Result};
use crate::worker::desk;

use super::Status;

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
    /// Inside a guarded call: a panic is caught and told as a status, not printed.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

static HOOK: OnceCell<()> = OnceCell::new();

/// Keeps panics of ours off the host's stderr; others go where they went before.
pub(super) fn hush_panics() {
    HOOK.get_or_init(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() && !desk::in_engine() {
                before(info);
            }
        }));
    });
}

/// Runs an export's body. No panic and no error leaves it but as a number.
pub(super) fn guard_count(body: impl FnOnce() -> Result<i32>) -> i32 {
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(body));
    GUARDED.set(outer);
    match result {
        Ok(Ok(count)) => count,
        Ok(Err(error)) => {
            set_last_error(&error.to_string());
            status_of(error.kind()) as i32
        }
        Err(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            // A payload whose drop panics must not get the better of us.
            std::mem::forget(panic);
            set_last_error(&format!("a bug in wsgate was caught: {text}"));
            Status::Panic as i32
        }
    }
}

/// The same for an export that only tells whether it worked.
pub(super) fn guard(body: impl FnOnce() -> Result<()>) -> Status {
    let mut status = Status::Panic;
    guard_count(|| {
        let result = body();
        status = result.as_ref().map_or_else(|error| status_of(error.kind()), |()| Status::Ok);
        result.map(|()| 0)
    });
    status
}

pub(super) fn status_of(kind: ErrorKind) -> Status {
    match kind {
        ErrorKind::Invalid => Status::Invalid,
        ErrorKind::Closed => Status::Closed,
        ErrorKind::Full => Status::Full,
        ErrorKind::Timeout => Status::Timeout,
        ErrorKind::Busy => Status::Busy,
        ErrorKind::Reentrant => Status::Reentrant,
        ErrorKind::Io => Status::Io,
        ErrorKind::Config => Status::Config,
        ErrorKind::Forked => Status::Forked,
    }
}

fn set_last_error(text: &str) {
    let text = CString::new(text.replace('\0', "\\0")).unwrap_or_default();
    // When the thread is coming to its end (a handler of `atexit`), its texts are gone already.
    let _ = LAST_ERROR.try_with(|last| last.replace(text));
}

pub(super) fn last_error() -> *const c_char {
    LAST_ERROR.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

/// Borrows what a handle points to, for the call.
///
/// # Safety
/// `handle` is NULL, or points to a live `T` that nobody frees during `'a`.
pub(super) unsafe fn borrow<'a, T>(what: &str, handle: *const T) -> Result<&'a T> {
    // SAFETY: as the caller promises.
    unsafe { handle.as_ref() }.ok_or_else(|| Error::invalid(format!("{what} is NULL")))
}

/// Borrows `length` bytes, for the call. NULL is fine when there are none.
///
/// # Safety
/// `data` is NULL, or points to `length` bytes that nobody changes during `'a`.
pub(super) unsafe fn bytes<'a>(what: &str, data: *const u8, length: usize) -> Result<&'a [u8]> {
    // SAFETY: as the caller promises.
    unsafe { slice(what, data, length) }
}

/// Borrows `length` elements, for the call. NULL is fine when there are none.
///
/// # Safety
/// `data` is NULL, or points to `length` elements that nobody changes during `'a`.
pub(super) unsafe fn slice<'a, T>(what: &str, data: *const T, length: usize) -> Result<&'a [T]> {
    if length == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Error::invalid(format!("{what} is NULL, with a length of {length}")));
    }
    if !data.is_aligned() {
        return Err(Error::invalid(format!("{what} is not aligned to {} bytes", align_of::<T>())));
    }
    if length > isize::MAX as usize / size_of::<T>() {
        return Err(Error::invalid(format!("{what} has an impossible length of {length}")));
    }
    // SAFETY: not NULL, aligned, of a possible size; the rest is the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(data, length) })
}

/// Borrows `length` elements for writing, for the call. NULL is fine when there are none.
///
/// # Safety
/// `data` is NULL, or points to `length` elements that nobody else uses during `'a`.
pub(super) unsafe fn slice_mut<'a, T>(what: &str, data: *mut T, length: usize) -> Result<&'a mut [T]> {
    if length == 0 {
        return Ok(&mut []);
    }
    // SAFETY: only checked here; as the caller promises.
    unsafe { slice(what, data.cast_const(), length) }?;
    // SAFETY: not NULL, aligned, of a possible size; the rest is the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts_mut(data, length) })
}

/// Borrows `length` bytes of UTF-8, for the call.
///
/// # Safety
/// As for [`bytes`].
pub(super) unsafe fn text<'a>(what: &str, data: *const c_char, length: usize) -> Result<&'a str> {
    // SAFETY: as the caller promises.
    let bytes = unsafe { bytes(what, data.cast(), length) }?;
    std::str::from_utf8(bytes).map_err(|_| Error::invalid(format!("{what} is not UTF-8")))
}

/// Checks an out-parameter before anything happens; it is written after everything went well.
pub(super) fn out<T>(what: &str, pointer: *mut T) -> Result<*mut T> {
    if pointer.is_null() || !pointer.is_aligned() {
        return Err(Error::invalid(format!("{what} is NULL or not aligned")));
    }
    Ok(pointer)
}

/// Fills a struct that begins with its size, as far as the caller's, of `room` bytes, goes.
///
/// # Safety
/// `out` is NULL or valid for writes of `room` bytes.
pub(super) unsafe fn fill<T>(out: *mut T, room: usize, bytes: &[u8]) -> Result<()> {
    const SIZE: usize = size_of::<u64>();
    if out.is_null() || room < SIZE {
        return Err(Error::invalid(format!("out is NULL, or size is {room} and not at least {SIZE}")));
    }
    let size = room.min(bytes.len());
    // SAFETY: `size` bytes are within both, which can't overlap; the first of them are a word at least.
    unsafe {
        out.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), size);
        out.cast::<u64>().write_unaligned(size as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn last() -> String {
        // SAFETY: the pointer is this thread's own, and nothing fails in between.
        unsafe { CStr::from_ptr(last_error()) }.to_string_lossy().into_owned()
    }

    #[test]
    fn a_panic_becomes_a_status_and_a_text() {
        hush_panics();
        assert_eq!(guard(|| panic!("by {}", "test")), Status::Panic);
        assert_eq!(last(), "a bug in wsgate was caught: by test");
        assert_eq!(guard_count(|| panic!("again")), Status::Panic as i32);
        assert_eq!(guard(|| Ok(())), Status::Ok);
        assert!(last().ends_with("again"), "success leaves the last error alone");
    }

    #[test]
    fn a_struct_is_filled_as_far_as_the_caller_knows_it() {
        const NINES: u64 = u64::from_ne_bytes([9; 8]);
        let bytes = [9; 24];
        for (room, expected) in [(8, [8, 1, 1, 1]), (16, [16, NINES, 1, 1]), (32, [24, NINES, NINES, 1])] {
            let mut out = [1u64; 4];
            // SAFETY: `out` has 32 bytes.
            unsafe { fill(out.as_mut_ptr(), room, &bytes) }.unwrap();
            assert_eq!(out, expected, "{room}");
        }
        let mut word = 0u64;
        // SAFETY: too short, or NULL: nothing is written.
        unsafe {
            assert!(fill(&raw mut word, 7, &bytes).is_err());
            assert!(fill(std::ptr::null_mut::<u64>(), 32, &bytes).is_err());
        }
    }

    #[test]
    fn an_argument_that_can_not_be_borrowed_is_named() {
        // SAFETY: the pointers are NULL, misaligned, or never looked at because of the length.
        unsafe {
            assert!(borrow::<u8>("server", std::ptr::null()).is_err());
            assert!(bytes("data", std::ptr::null(), 0).is_ok());
            assert!(bytes("data", std::ptr::null(), 1).is_err());
            assert!(slice::<u64>("ids", std::ptr::dangling(), usize::MAX).is_err());
            assert!(slice::<u64>("ids", std::ptr::without_provenance(3), 1).is_err());
            assert!(text("path", c"\xff".as_ptr(), 1).is_err());
        }
        assert_eq!(guard(|| Err(Error::invalid("nul \0 inside"))), Status::Invalid);
        assert_eq!(last(), "nul \\0 inside");
    }
}
