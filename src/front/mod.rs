//! The control plane: everything that happens before a connection is a WebSocket.
//!
//! ```text
//!   listener ── accepts ──> http ── one task and one hyper connection per socket
//!                             │
//!                          service ── route: the path of an endpoint ──> acceptor, the application's
//!                             │                                            decision ──> 101 or refusal
//!                             │                                                │
//!                             └── anything else ──> statics, the               └──> Intake::adopt: the
//!                                 application's request handler, 404               data plane
//! ```
//!
//! One thread runs all of it on a tokio runtime of its own. At the upgrade the socket leaves tokio for good,
//! with the bytes that hyper had already read behind the request.

mod acceptor;
mod answer;
mod asking;
mod bound;
mod compress;
#[cfg(test)]
mod harness;
mod head;
mod http;
mod listener;
mod path;
mod pending;
#[cfg(test)]
mod refusal_tests;
mod reply;
pub mod request;
mod route;
mod service;
mod site;
mod statics;
mod stream;
#[cfg(test)]
mod tests;
mod wire;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::admission::{Admissions, Permit};
use crate::config::{Handshakes, Http, Pattern};
use crate::event::Event;
use crate::protocol::deflate::Agreement;
use crate::socket::Socket;
use crate::telemetry::census::Census;

pub use answer::Field;
pub(crate) use answer::{Answer, handshake_fields};
pub(crate) use bound::Bound;
pub(crate) use pending::{Accepting, Pending};

use bound::Listener;
use site::Site;

/// The target of this plane's log lines, whichever of its files they come from.
const LOG: &str = "wsgate::front";

/// How long a stop waits for responses and half-sent requests before it cuts them.
const STOP_BOUND: Duration = Duration::from_secs(1);

/// Threads for the file system's blocking calls; files beyond that wait their turn.
const FILE_THREADS: usize = 8;

/// What the control plane is told before it starts.
pub(crate) struct Settings {
    /// The endpoints; the index is the endpoint's number.
    pub(crate) endpoints: Vec<(Pattern, Handshakes)>,
    pub(crate) http: Http,
}

/// What the front shares with the calls that other threads make.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) pending: Arc<Pending>,
    pub(crate) admissions: Arc<Admissions>,
    pub(crate) census: Arc<Census>,
}

/// What an upgraded connection brings to the data plane.
pub(crate) struct Upgraded {
    /// With `TCP_NODELAY` set, where there is that.
    pub(crate) socket: Socket,
    /// It is a connection until its end.
    pub(crate) permit: Permit,
    /// What the peer sent right behind its request: the first frames, to be read before the socket.
    pub(crate) early: Bytes,
    /// The endpoint's number.
    pub(crate) endpoint: u32,
    pub(crate) client: Newcomer,
}

/// Who comes with an upgraded connection.
pub(crate) enum Newcomer {
    /// Whom the endpoint accepted: the request, encoded (see [`request`]), and what was agreed upon.
    Unnamed(Vec<u8>, Option<Agreement>),
    /// Whom the application accepted, by the id that was reserved for the handshake.
    Expected(u64),
}

/// The door to the data plane and to the application. Called on the front's thread: must not block.
pub(crate) trait Intake: Send + Sync + 'static {
    /// Takes a connection whose 101 has been sent.
    fn adopt(&self, upgraded: Upgraded);

    /// Whether so many connections wait to become clients that no more should be accepted.
    fn is_behind(&self) -> bool {
        false
    }

    /// An id for a handshake at this endpoint. It is of no use to anybody until the data plane expects it.
    /// `None` when there are too many.
    fn reserve(&self, endpoint: u32, compression: Option<Agreement>) -> Option<u64>;

    /// The handshake of this id did not become a client.
    fn release(&self, id: u64);

    /// The client of this id, which was accepted, has no connection any more.
    fn lose(&self, id: u64);

    /// Raises an event. False if the application's callback panicked.
    fn raise(&self, event: &Event<'_>) -> bool;
}

/// The control plane, ready to run.
pub(crate) struct Front {
    runtime: Runtime,
    listeners: Vec<Listener>,
    site: Arc<Site>,
}

impl Front {
    /// Prepares all that can fail, so that [`Front::run`] cannot.
    pub(crate) fn new(
        listeners: Vec<Bound>,
        settings: Settings,
        shared: Shared,
        intake: Arc<dyn Intake>,
    ) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .thread_name("wsgate-files")
            .max_blocking_threads(FILE_THREADS)
            .build()?;
        let context = runtime.enter();
        let listeners = listeners.into_iter().map(Bound::into_listener).collect::<io::Result<_>>()?;
        drop(context);
        let site = Arc::new(Site::new(settings, shared, intake)?);
        Ok(Self { runtime, listeners, site })
    }

    /// Serves until `stop` resolves, or its sender is gone. Then the listeners close, idle connections and
    /// unfinished requests end, and what still runs after [`STOP_BOUND`] is cut. Nothing is adopted after
    /// this returns.
    pub(crate) fn run(self, stop: oneshot::Receiver<()>) {
        let Self { runtime, listeners, site } = self;
        runtime.block_on(async {
            let (stopping, watch) = watch::channel(());
            let mut serving = JoinSet::new();
            for listener in listeners {
                serving.spawn(listener::serve(listener, Arc::clone(&site), watch.clone()));
            }
            // An error means that the sender is gone, and with it whoever could stop this later.
            let _ = stop.await;
            // Nothing is ever sent: that the channel closes is the signal, and nobody can miss it.
            drop(stopping);
            while serving.join_next().await.is_some() {}
        });
        // A file system that hangs must not hang the stop.
        runtime.shutdown_timeout(STOP_BOUND);
    }
}
