//! Waiting for SIGINT or SIGTERM.
#![allow(unsafe_code)] // three calls into libc

/// SIGINT and SIGTERM, blocked in this thread and in those that it starts.
pub(crate) struct Stop(libc::sigset_t);

/// Blocks both, so that they wait for [`Stop::wait`]. Call it before any thread is started.
pub(crate) fn block() -> Stop {
    // SAFETY: `sigemptyset` makes the zeroed set a set; the rest take pointers to it.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGINT);
        libc::sigaddset(&raw mut set, libc::SIGTERM);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        Stop(set)
    }
}

impl Stop {
    /// Waits for one of them.
    pub(crate) fn wait(&self) {
        let mut signal = 0;
        // SAFETY: both pointers are valid for the call.
        unsafe { libc::sigwait(&raw const self.0, &raw mut signal) };
    }
}
