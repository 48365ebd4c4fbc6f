//! One HTTP connection: hyper on the socket, and at an upgrade the socket to the data plane.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::service::{Connection, Handover};
use super::site::Site;
use super::{LOG, Upgraded};

/// How long a request's head may take, counted from the connection's start or the response before; so it
/// bounds an idle connection, too.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);

/// The size of a request's head, from which on it is a 431.
const HEADER_LIMIT: usize = 32 * 1024;

/// What hyper may buffer each way: a whole head, and frames that come right behind it.
const BUFFER_LIMIT: usize = 2 * HEADER_LIMIT;

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
    let connection = Connection::new(site, peer.to_string(), local.to_string(), stopping.clone());
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
        Ok(()) => hand_over(connection).await,
        // Ours: a file that could not be read to its end.
        Err(error) if error.is_user() => {
            tracing::warn!(target: LOG, "a response to {peer} broke off: {}", Causes(&error));
        }
        Err(error) => tracing::debug!(target: LOG, "HTTP with {peer} ended: {}", Causes(&error)),
    }
}

/// Gives the socket to the data plane, if a request was accepted.
async fn hand_over(connection: Connection) {
    let (site, handover) = connection.into_handover();
    let Some(Handover { upgrade, endpoint, client }) = handover else { return };
    match released(upgrade).await {
        Ok((stream, early)) => {
            site.intake.adopt(Upgraded { stream, early, endpoint, client: client.adopted() })
        }
        Err(error) => tracing::warn!(target: LOG, "an upgrade failed: {error}"),
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
