//! The accept loop: one per listening socket, and the owner of the connections that it accepted.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::site::Site;
use super::{LOG, STOP_BOUND, http};

/// How long accepting rests when the process is out of descriptors or memory: the connection stays in the
/// backlog and the socket stays readable, so that trying again at once would only burn the core.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts until `stopping` closes, then waits a bounded time for its connections. No error ends it before.
pub(super) async fn serve(listener: TcpListener, site: Arc<Site>, mut stopping: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    let mut starved = false;
    loop {
        let accepted = tokio::select! {
            _ = stopping.changed() => break,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(target: LOG, "a connection's task failed: {error}");
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                starved = false;
                connections.spawn(http::serve(stream, peer, Arc::clone(&site), stopping.clone()));
            }
            Err(error) if is_of_one_connection(&error) => {
                tracing::debug!(target: LOG, "a connection was lost before it was accepted: {error}");
            }
            Err(error) => {
                // Once per shortage: at ten attempts a second the log would drown in it.
                if !starved {
                    tracing::warn!(target: LOG, "accepting connections is paused: {error}");
                }
                starved = true;
                sleep(PAUSE).await;
            }
        }
    }
    // What a forked child still holds open must not keep the address.
    let _ = socket2::SockRef::from(&listener).shutdown(std::net::Shutdown::Both);
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if timeout(STOP_BOUND, all_ended).await.is_err() {
        tracing::debug!(target: LOG, "cutting {} connections that did not end in time", connections.len());
        connections.shutdown().await;
    }
}

/// Whether the error is that of the connection about to be accepted (accept(2) reports its network errors),
/// so that the next one may be fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNABORTED
                | libc::ECONNRESET
                | libc::EINTR
                | libc::EPROTO
                | libc::ENOPROTOOPT
                | libc::EPERM
                | libc::ENETDOWN
                | libc::ENETUNREACH
                | libc::EHOSTDOWN
                | libc::EHOSTUNREACH
                | libc::ENONET
                | libc::EOPNOTSUPP
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_of_descriptors_pauses_and_a_lost_connection_does_not() {
        for pausing in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
            assert!(!is_of_one_connection(&io::Error::from_raw_os_error(pausing)), "{pausing}");
        }
        for passing in [libc::ECONNABORTED, libc::EPROTO, libc::EHOSTUNREACH] {
            assert!(is_of_one_connection(&io::Error::from_raw_os_error(passing)), "{passing}");
        }
    }
}
