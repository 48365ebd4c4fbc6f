//! The accept loop: one per listening socket, and the owner of the connections that it accepted.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::admission::Crowd;
use crate::clock::Now;
use crate::telemetry::census::Census;

use super::bound::Listener;
use super::site::Site;
use super::stream::Stream;
use super::{LOG, STOP_BOUND, http};

/// How long accepting rests when the host is behind, or the process out of descriptors or memory: the
/// connection stays in the backlog and the socket stays readable, so that trying again at once would only burn
/// the core.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts until `stopping` closes, then waits a bounded time for its connections. No error ends it before.
pub(super) async fn serve(listener: Listener, site: Arc<Site>, mut stopping: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    let mut starved = false;
    loop {
        // The host is so far behind that clients wait to be announced to it: the others wait in the backlog.
        let is_behind = site.intake.is_behind();
        let accepted = tokio::select! {
            _ = stopping.changed() => break,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(target: LOG, "a connection's task failed: {error}");
                }
                continue;
            }
            () = sleep(PAUSE), if is_behind => continue,
            accepted = listener.accept(), if !is_behind => accepted,
        };
        match accepted {
            Ok(stream) => {
                starved = false;
                Census::count(&site.census.connections_total);
                match site.admissions.admit(stream.peer_ip()) {
                    Ok(permit) => {
                        connections.spawn(http::serve(stream, permit, Arc::clone(&site), stopping.clone()));
                    }
                    Err(crowd) => {
                        tell_of(crowd, &stream, &site);
                        if let Ok(room) = Arc::clone(&site.turned_away).try_acquire_owned() {
                            connections.spawn(async move {
                                let _room = room;
                                let _ = timeout(TURNED_AWAY, turn_away(stream)).await;
                            });
                        }
                    }
                }
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
    listener.close();
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if timeout(STOP_BOUND, all_ended).await.is_err() {
        tracing::debug!(target: LOG, "cutting {} connections that did not end in time", connections.len());
        connections.shutdown().await;
    }
}

fn tell_of(crowd: Crowd, stream: &Stream, site: &Site) {
    let http = &site.http;
    let (counter, alarm, setting, most) = match crowd {
        Crowd::InAll => (
            &site.census.connections_refused,
            &site.alarms.connections,
            "max connections",
            http.max_connections,
        ),
        Crowd::FromAddress => (
            &site.census.address_refused,
            &site.alarms.address,
            "max connections per address",
            http.max_connections_per_address,
        ),
    };
    Census::count(counter);
    if let Some(more) = alarm.ring(Now::read().wall_ns) {
        let peer = stream.peer_ip().map_or_else(|| "unix".to_owned(), |ip| ip.to_string());
        tracing::warn!(target: LOG, "refused {peer}, and {more} before it: {setting} is {most}");
    }
}

/// Tells a connection that there are too many. It is read to its end, as to close before that would send a reset,
/// which may destroy what it was told.
async fn turn_away(mut stream: Stream) -> io::Result<()> {
    stream.write_all(TOO_MANY).await?;
    stream.shutdown().await?;
    let mut bytes = [0; 1024];
    while stream.read(&mut bytes).await? > 0 {}
    Ok(())
}

const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 30\r\nconnection: close\r\n\r\nThere are too many connections";

/// How long a connection stays that is turned away.
const TURNED_AWAY: Duration = Duration::from_millis(500);

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
