//! What threads meet at: atomics, a lock, and how one wakes another.
//!
//! Built with `--cfg wsgate_loom` they are loom's, whose models (`make loom`) try every order in which threads
//! can meet. It takes SeqCst for AcqRel, and knows the order of a word's writes only where each has read the
//! one before: so what two threads agree by is written by read-modify-writes. They cost no more than
//! SeqCst stores.

#[cfg(not(wsgate_loom))]
mod real {
    pub(crate) use std::sync::atomic;

    pub(crate) use mio::Waker;
    pub(crate) use parking_lot::{Condvar, Mutex};

    pub(crate) use crate::sys::EventFd;
}

#[cfg(wsgate_loom)]
mod modelled {
    use std::io;
    use std::ops::{Deref, DerefMut};
    use std::os::fd::{AsRawFd, RawFd};
    use std::time::Duration;

    use loom::sync::Notify;

    pub(crate) use loom::sync::atomic;

    /// With parking_lot's interface, as the guard and the condition variable.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    pub(crate) struct MutexGuard<'a, T> {
        mutex: &'a Mutex<T>,
        held: Option<loom::sync::MutexGuard<'a, T>>,
    }

    #[derive(Debug)]
    pub(crate) struct Condvar(loom::sync::Condvar);

    #[expect(clippy::unwrap_used, reason = "a model that panics has failed anyway")]
    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard { mutex: self, held: Some(self.0.lock().unwrap()) }
        }
    }

    #[expect(clippy::unwrap_used, reason = "it is only empty while it waits")]
    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.held.as_ref().unwrap()
        }
    }

    #[expect(clippy::unwrap_used, reason = "it is only empty while it waits")]
    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.held.as_mut().unwrap()
        }
    }

    #[expect(clippy::unwrap_used, reason = "a model that panics has failed anyway")]
    impl Condvar {
        pub(crate) fn new() -> Self {
            Self(loom::sync::Condvar::new())
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
            guard.held = guard.held.take().map(|held| self.0.wait(held).unwrap());
        }

        /// The time is over at once; but others can have the lock before.
        pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _time: Duration) {
            guard.held = None;
            loom::thread::yield_now();
            guard.held = Some(guard.mutex.0.lock().unwrap());
        }
    }

    /// In place of mio's, which wakes a poller.
    pub(crate) struct Waker(Notify);

    impl std::fmt::Debug for Waker {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Waker")
        }
    }

    impl Waker {
        pub(crate) fn new() -> Self {
            Self(Notify::new())
        }

        pub(crate) fn wake(&self) -> io::Result<()> {
            self.0.notify();
            Ok(())
        }

        /// The poller's sleep.
        pub(crate) fn sleep(&self) {
            self.0.wait();
        }
    }

    /// In place of an eventfd, and of polling it.
    #[derive(Debug)]
    pub(crate) struct EventFd {
        raised: Mutex<bool>,
        changed: Condvar,
    }

    impl EventFd {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self { raised: Mutex::default(), changed: Condvar::new() })
        }

        pub(crate) fn raise(&self) {
            *self.raised.lock() = true;
            self.changed.notify_all();
        }

        pub(crate) fn lower(&self) {
            *self.raised.lock() = false;
        }

        pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<bool> {
            let mut raised = self.raised.lock();
            while !*raised && timeout.is_none() {
                self.changed.wait(&mut raised);
            }
            Ok(*raised)
        }
    }

    impl AsRawFd for EventFd {
        fn as_raw_fd(&self) -> RawFd {
            -1
        }
    }
}

#[cfg(wsgate_loom)]
pub(crate) use modelled::*;
#[cfg(not(wsgate_loom))]
pub(crate) use real::*;
