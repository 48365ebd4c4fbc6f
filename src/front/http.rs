//! One HTTP connection: hyper on the socket, and at an upgrade the socket to the data plane.

use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use tokio::sync::watch;

use crate::admission::Permit;
use crate::socket::Socket;

use super::service::{Connection, Handover};
use super::site::Site;
use super::stream::{Ends, Stream};
use super::wire::{self, Wire};
use super::{LOG, Upgraded};

/// Serves HTTP on this socket until the peer is done, breaks the protocol, upgrades, or `stopping` closes and
/// the response at hand is out.
pub(super) async fn serve(
    stream: Stream,
    permit: Permit,
    site: Arc<Site>,
    mut stopping: watch::Receiver<()>,
) {
    let ends = match stream.set_nodelay().and_then(|()| stream.ends()) {
        Ok(ends) => ends,
        Err(error) => {
            tracing::debug!(target: LOG, "a connection was gone at once: {error}");
            return;
        }
    };
    let Ends { peer, local } = ends;
    let (wire, tap) = wire::pair(stream, site.bounds(), Arc::clone(&site.census));
    // A head passes whole: hyper must be able to hold the largest, and anything behind it stays in the wire.
    let room = 2 * site.bounds().header_size.max(8 << 10);
    let connection = Connection::new(site, peer, local, tap.clone(), stopping.clone());
    let service = service_fn(|request| async { Ok::<_, Infallible>(connection.respond(request).await) });
    let served = {
        let mut serving = pin!(
            http1::Builder::new()
                .max_header_size(room)
                .max_buf_size(room)
                .serve_connection(wire, service)
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
    let handover = connection.take_handover();
    match served {
        Ok(()) => {
            if let Some(handover) = handover {
                drop(tap);
                return hand_over(connection, handover, permit).await;
            }
        }
        // Ours: a file that could not be read to its end.
        Err(error) if error.is_user() => {
            tracing::warn!(target: LOG, "a response to {} broke off: {}", connection.peer(), Causes(&error));
        }
        Err(error) => {
            tracing::debug!(target: LOG, "HTTP with {} ended: {}", connection.peer(), Causes(&error));
        }
    }
    tap.close().await;
}

/// Gives the socket to the data plane.
async fn hand_over(connection: Connection, handover: Handover, permit: Permit) {
    let Handover { upgrade, endpoint, client } = handover;
    let site = connection.into_site();
    match released(upgrade).await {
        Ok((socket, early)) => {
            site.intake.adopt(Upgraded { socket, permit, early, endpoint, client: client.adopted() });
        }
        Err(error) => tracing::warn!(target: LOG, "an upgrade failed: {error}"),
    }
}

/// The socket out of hyper and tokio, and what was read from it behind the request.
async fn released(upgrade: OnUpgrade) -> Result<(Socket, bytes::Bytes), Box<dyn Error + Send + Sync>> {
    let parts = upgrade
        .await?
        .downcast::<Wire>()
        .map_err(|_| "hyper gave back another kind of stream than it was given")?;
    let (stream, early) = parts.io.into_parts().ok_or("the socket is still in use")?;
    Ok((stream.into_socket()?, early))
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
