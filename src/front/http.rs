//! One HTTP connection: hyper on the socket, each request to where it belongs, the upgrade to the data plane.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::reply::{self, Body};
use super::route::Routes;
use super::statics::Statics;
use super::{Intake, LOG, Settings, Upgraded, acceptor, request};

/// How long a request's head may take, counted from the connection's start or the response before; so it
/// bounds an idle connection, too.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);

/// The size of a request's head, from which on it is a 431.
const HEADER_LIMIT: usize = 32 * 1024;

/// What hyper may buffer each way: a whole head, and frames that come right behind it.
const BUFFER_LIMIT: usize = 2 * HEADER_LIMIT;

/// What all connections share.
pub(super) struct Site {
    routes: Routes,
    /// By endpoint number.
    origins: Vec<Vec<String>>,
    statics: Option<Statics>,
    intake: Arc<dyn Intake>,
}

impl Site {
    /// Fails if the directory cannot be served from.
    pub(super) fn new(settings: Settings, intake: Arc<dyn Intake>) -> io::Result<Self> {
        let Settings { endpoints, directory } = settings;
        let statics = directory.as_deref().map(Statics::new).transpose()?;
        let (paths, origins): (Vec<_>, Vec<_>) =
            endpoints.into_iter().map(|endpoint| (endpoint.path, endpoint.origins)).unzip();
        Ok(Self { routes: Routes::new(paths), origins, statics, intake })
    }
}

/// Serves HTTP on this socket until the peer is done, breaks the protocol, upgrades, or `stopping` closes and
/// the response at hand is out.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    site: Arc<Site>,
    mut stopping: watch::Receiver<()>,
) {
    let local = match stream.set_nodelay(true).and_then(|()| stream.local_addr()) {
        Ok(local) => local,
        Err(error) => {
            tracing::debug!(target: LOG, "{peer} was gone at once: {error}");
            return;
        }
    };
    let connection = Connection { site, peer, local, handover: Mutex::new(None) };
    let service = service_fn(|request| async { Ok::<_, Infallible>(connection.respond(request).await) });
    let served = {
        let mut serving = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .max_header_size(HEADER_LIMIT)
                .max_buf_size(BUFFER_LIMIT)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
        );
        tokio::select! {
            served = serving.as_mut() => served,
            _ = stopping.changed() => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        }
    };
    match served {
        Ok(()) => connection.hand_over().await,
        // Ours: a file that could not be read to its end.
        Err(error) if error.is_user() => {
            tracing::warn!(target: LOG, "a response to {peer} broke off: {}", Causes(&error));
        }
        Err(error) => tracing::debug!(target: LOG, "HTTP with {peer} ended: {}", Causes(&error)),
    }
}

struct Connection {
    site: Arc<Site>,
    peer: SocketAddr,
    local: SocketAddr,
    /// Set once a 101 is on its way; hyper lets go of the socket when it is out.
    handover: Mutex<Option<Handover>>,
}

struct Handover {
    upgrade: OnUpgrade,
    endpoint: u32,
    request: Vec<u8>,
}

impl Connection {
    async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        let site = &self.site;
        match (site.routes.endpoint(request.uri().path()), &site.statics) {
            (Some(endpoint), _) => self.upgrade(request, endpoint),
            (None, Some(statics)) => statics.respond(&request).await,
            (None, None) => reply::not_found(),
        }
    }

    fn upgrade(&self, mut request: Request<Incoming>, endpoint: u32) -> Response<Body> {
        let origins = self.site.origins.get(endpoint as usize).map_or(&[][..], Vec::as_slice);
        match acceptor::accept(&request, origins) {
            Ok(head) => {
                *self.handover.lock() = Some(Handover {
                    upgrade: hyper::upgrade::on(&mut request),
                    endpoint,
                    request: request::encode(&request, self.peer, self.local, ""),
                });
                reply::empty(head)
            }
            Err(refusal) => {
                tracing::debug!(
                    target: LOG,
                    "refused {} at {}: {}", self.peer, request.uri().path(), refusal.reason()
                );
                refusal.response()
            }
        }
    }

    /// Gives the socket to the data plane, if a request was accepted.
    async fn hand_over(self) {
        let Some(Handover { upgrade, endpoint, request }) = self.handover.into_inner() else { return };
        match released(upgrade).await {
            Ok((stream, early)) => {
                self.site.intake.adopt(Upgraded { stream, early, endpoint, request });
            }
            Err(error) => tracing::warn!(target: LOG, "the upgrade of {} failed: {error}", self.peer),
        }
    }
}

/// The socket out of hyper and tokio, and what was read from it behind the request.
async fn released(
    upgrade: OnUpgrade,
) -> Result<(std::net::TcpStream, bytes::Bytes), Box<dyn Error + Send + Sync>> {
    let parts = upgrade
        .await?
        .downcast::<TokioIo<TcpStream>>()
        .map_err(|_| "hyper gave back another kind of stream than it was given")?;
    Ok((parts.io.into_inner().into_std()?, parts.read_buf))
}

/// An error with its causes: hyper's own text is "connection error" where the cause is the news.
struct Causes<'a>(&'a (dyn Error + 'static));

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut error = self.0;
        while let Some(cause) = error.source() {
            write!(f, ": {cause}")?;
            error = cause;
        }
        Ok(())
    }
}
