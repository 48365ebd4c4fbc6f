//! A descriptor that is readable while it was raised.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// An `eventfd(2)`, nonblocking, closed on exec.
#[derive(Debug)]
pub(crate) struct EventFd(OwnedFd);

impl EventFd {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no pointers; the result is checked, and owned by nobody else.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `fd` was opened just above.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn raise(&self) {
        let one = 1u64;
        // It can only fail by overflow, and then it is readable already.
        // SAFETY: eight bytes are read from `one`, which lives through the call.
        unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast(), 8) };
    }

    pub(crate) fn lower(&self) {
        let mut count = 0u64;
        // It can only fail when it was not raised.
        // SAFETY: eight bytes are written to `count`, which lives through the call.
        unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast(), 8) };
    }

    /// Waits until it is raised: true; false when the time is over. A signal is an error of kind
    /// `Interrupted`, so that the host's handlers run.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<bool> {
        let milliseconds = timeout.map_or(-1, |timeout| {
            // Rounded up: a wait of less than a millisecond must not become a busy loop.
            i32::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(i32::MAX)
        });
        let mut poll = libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd is read and written, which lives through the call.
        match unsafe { libc::poll(&raw mut poll, 1, milliseconds) } {
            -1 => Err(io::Error::last_os_error()),
            ready => Ok(ready > 0),
        }
    }
}

impl AsRawFd for EventFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_readable_from_raise_to_lower() {
        let fd = EventFd::new().unwrap();
        let now = Some(Duration::ZERO);
        assert!(!fd.wait(now).unwrap());
        fd.raise();
        fd.raise();
        assert!(fd.wait(now).unwrap() && fd.wait(None).unwrap());
        fd.lower();
        assert!(!fd.wait(now).unwrap());
    }
}
