//! Tells a forked child from its parent, without a system call for each question.

use std::sync::atomic::{AtomicU32, Ordering};

use once_cell::sync::OnceCell;

static EPOCH: AtomicU32 = AtomicU32::new(0);
static WATCHED: OnceCell<()> = OnceCell::new();

extern "C" fn in_child() {
    EPOCH.fetch_add(1, Ordering::Relaxed);
}

/// How often this process was forked from one that watched. A server whose threads were started in
/// another epoch has none here.
pub(crate) fn epoch() -> u32 {
    EPOCH.load(Ordering::Relaxed)
}

/// Begins to watch for forks; once per process.
pub(crate) fn watch() {
    WATCHED.get_or_init(|| {
        // SAFETY: the handler touches one atomic, which is allowed after fork; the library is never
        // unloaded (`-z nodelete`), so the handler stays.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}
