//! The server's handle and its life.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use crate::config::Config;
use crate::delivery::{Delivery, Queue};
use crate::error::{Error, ErrorKind, Result};
use crate::sys;
use crate::worker::desk;

use super::Status;
use super::boundary::{borrow, guard, guard_count, hush_panics};
use super::push::Callbacks;

/// A server: what it is to be until it starts, then the running one.
pub struct Server {
    building: Mutex<Building>,
    /// Which process has `building` locked, or had it last, as [`sys::epoch`] counts them.
    builder: AtomicU32,
    running: OnceLock<Running>,
}

/// What `wsgate_server_start` makes a server of.
pub(super) struct Building {
    pub(super) config: Option<Config>,
    pub(super) callbacks: Callbacks,
}

/// A started server, and what of it C needs to reach.
pub(super) struct Running {
    pub(super) server: crate::Server,
    /// Of a pull server.
    pub(super) queue: Option<Arc<Queue>>,
    /// Of a push server: dropped after the server, and with it the callbacks' user data.
    _callbacks: Option<Arc<Callbacks>>,
}

/// Changes a setting of a server that has not started: what most setters are.
///
/// # Safety
/// `server` is NULL or live.
pub(super) unsafe fn configure(
    server: *mut Server,
    change: impl FnOnce(&mut Config) -> Result<()>,
) -> Status {
    // SAFETY: the caller's promise.
    guard(|| unsafe { borrow("server", server) }?.build(|config, _| change(config)))
}

impl Server {
    /// FORKED in a child of the process that started it. One that has not started may start there.
    pub(super) fn here(&self) -> Result<()> {
        self.running.get().map_or(Ok(()), |running| running.server.here())
    }

    /// FORKED, too, when another thread of the parent was at it in the moment of the fork: nobody here will
    /// ever let go of that lock.
    fn building(&self) -> Result<MutexGuard<'_, Building>> {
        self.here()?;
        let building = match self.building.try_lock() {
            Some(building) => building,
            None if self.builder.load(Ordering::SeqCst) != sys::epoch() => return Err(forked()),
            None => self.building.lock(),
        };
        self.builder.store(sys::epoch(), Ordering::SeqCst);
        Ok(building)
    }

    /// Changes what the server is to be; INVALID once it has started.
    pub(super) fn build<T>(
        &self,
        change: impl FnOnce(&mut Config, &mut Callbacks) -> Result<T>,
    ) -> Result<T> {
        let mut building = self.building()?;
        let Building { config, callbacks } = &mut *building;
        match config {
            Some(config) => change(config, callbacks),
            None => Err(Error::invalid("the server has started: this can only be set before")),
        }
    }

    /// The started server; INVALID before.
    pub(super) fn running(&self) -> Result<&Running> {
        self.running.get().ok_or_else(|| Error::invalid("the server has not started"))
    }

    pub(super) fn started(&self) -> Option<&crate::Server> {
        self.running.get().map(|running| &running.server)
    }

    fn start(&self, this: *mut Self) -> Result<()> {
        let mut building = self.building()?;
        let Some(config) = &building.config else {
            return Err(Error::invalid("the server has started already"));
        };
        let queue = match building.callbacks.is_empty() {
            true => Some(Queue::new(config.queue_limit)?),
            false => None,
        };
        // A start that fails leaves everything as it was, so that it can be tried again.
        let config = config.clone();
        let (delivery, callbacks) = match &queue {
            Some(queue) => (Delivery::Pull(Arc::clone(queue)), None),
            None => {
                let callbacks = Arc::new(building.callbacks.share(this));
                (Delivery::Push(callbacks.clone()), Some(callbacks))
            }
        };
        let server = crate::Server::prepare(config, delivery)?;
        building.config = None;
        let running = Running { server, queue, _callbacks: callbacks };
        // Nobody else can have set it: that happens here alone, under the lock. Only then may the first
        // callback run, because it will look for the server here.
        self.running.get_or_init(|| running).server.open();
        Ok(())
    }
}

/// The header lets any thread use a server.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Server>();
};

fn forked() -> Error {
    Error::new(
        ErrorKind::Forked,
        "the server was being started when this process was forked off: make a new one",
    )
}

/// Makes a server with every setting at its default. It does nothing until it starts.
///
/// @return the server, for `wsgate_server_free`
/// @threads any; a server may be used by any number of threads at once
#[unsafe(no_mangle)]
pub extern "C" fn wsgate_server_new() -> *mut Server {
    let mut server = std::ptr::null_mut();
    guard(|| {
        hush_panics();
        sys::watch();
        server = Box::into_raw(Box::new(Server {
            building: Mutex::new(Building { config: Some(Config::new()), callbacks: Callbacks::default() }),
            builder: AtomicU32::new(sys::epoch()),
            running: OnceLock::new(),
        }));
        Ok(())
    });
    server
}

/// Ends a server in whatever state it is, at once: stops it without grace, waits for its threads, and
/// frees it. Callbacks may still run until this returns, none after. NULL is fine. In a process that
/// was forked off after the server was started it only forgets it.
///
/// @return OK; REENTRANT inside a callback (nothing happened)
/// @threads any, but no other call with this server may run at the same time or come after
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_free(server: *mut Server) -> Status {
    guard(|| {
        if server.is_null() {
            return Ok(());
        }
        // SAFETY: not NULL, so made by `wsgate_server_new` and not freed, as the caller promises.
        let alive = unsafe { borrow("server", server) }?;
        if alive.here().is_err() || alive.building().is_err() {
            // Its threads and locks are as the fork found them: better left alone.
            return Ok(());
        }
        if desk::in_engine() {
            return Err(Error::new(
                ErrorKind::Reentrant,
                "a callback can't free a server: its end waits for callbacks",
            ));
        }
        // Callbacks may use it until its threads have ended: only then is it taken apart.
        if let Some(server) = alive.started() {
            server.stop(Duration::ZERO)?;
            server.join()?;
        }
        // SAFETY: as above; its threads have ended, and nobody else uses it from now on.
        drop(unsafe { Box::from_raw(server) });
        Ok(())
    })
}

/// Binds its addresses and starts its threads. A start that failed can be tried again.
///
/// @return OK; BUSY: an address is in use; INVALID: no address was set, or it has started already; IO
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_start(server: *mut Server) -> Status {
    // SAFETY: the caller's promise: NULL or live.
    guard(|| unsafe { borrow("server", server) }?.start(server))
}

/// The port of the address that the `index`-th `wsgate_server_listen` added, from 0: the one that the
/// system chose, where the address said 0.
///
/// @return the port, or a negative status: INVALID before the start, and for an address that is none or has no port
/// @threads any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_port(server: *mut Server, index: u32) -> i32 {
    guard_count(|| {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        server.here()?;
        Ok(server.running()?.server.port(index as usize)?.into())
    })
}

/// Stops a server: no new clients; a Close frame with 1001 "Server shutting down" to each; after
/// `grace_ms` milliseconds the rest is cut. Returns at once; STOPPED is the last event, after each
/// client's CLOSE. Stopping again can only shorten the grace; in a drain it ends the spread.
///
/// @return OK; INVALID before the start
/// @threads any, callbacks too
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_stop(server: *mut Server, grace_ms: u64) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        server.here()?;
        server.running()?.server.stop(Duration::from_millis(grace_ms))
    })
}

/// Stops a server over a time, so that its clients do not all come back at once elsewhere. It stops
/// listening at once: new connections are refused, and a balancer looks for another server. Those who are
/// there are closed one by one, evenly over `spread_ms` milliseconds, with 1001 "Server shutting down"; go
/// on serving them until then. Who is left `grace_ms` milliseconds after the last close is cut. Returns at
/// once; STOPPED is the last event, after each client's CLOSE, and comes as soon as the last client is
/// gone. Draining again can only shorten it; `wsgate_server_stop` ends the spread.
///
/// @return OK; INVALID before the start
/// @threads any, callbacks too
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_server_drain(server: *mut Server, spread_ms: u64, grace_ms: u64) -> Status {
    guard(|| {
        // SAFETY: the caller's promise: NULL or live.
        let server = unsafe { borrow("server", server) }?;
        server.here()?;
        let (spread, grace) = (Duration::from_millis(spread_ms), Duration::from_millis(grace_ms));
        server.running()?.server.drain(spread, grace)
    })
}
