//! How fast a client is listened to, and what was counted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::config::ClientId;
use crate::connection::block;
use crate::counters::{Info, ServerInfo};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::unfinished;
use crate::worker::Mailbox;

use super::{Handle, Server};

impl Handle {
    /// Tells that the application has dealt with so many bytes and messages of what a client said, whose
    /// endpoint has [`crate::Config::set_explicit_grants`]. More than was delivered is no credit.
    pub fn grant(&self, client: ClientId, bytes: u64, messages: u64) -> Result<()> {
        self.poster()?.grant(client, bytes, messages)
    }

    /// Stops reading a client. What was delivered, or waits to be taken, still comes.
    pub fn pause(&self, client: ClientId) -> Result<()> {
        self.poster()?.pause(client)
    }

    /// Reads a paused client again.
    pub fn resume(&self, client: ClientId) -> Result<()> {
        self.poster()?.resume(client)
    }

    /// A client's figures as they are now. `closed_ns` is 0; after the end, CLOSE has them.
    pub fn client_info(&self, client: ClientId) -> Result<Info> {
        self.here()?;
        let info = self.shared.clients.get(client.0).and_then(|entry| entry.info(client.0));
        info.ok_or_else(|| Error::new(ErrorKind::Closed, format!("client {} is gone", client.0)))
    }
}

impl Server {
    /// The server's figures as they are now.
    pub fn info(&self) -> Result<ServerInfo> {
        self.here()?;
        let shared = &self.handle.shared;
        let clients = |mailbox: &Arc<Mailbox>| u64::from(mailbox.clients.load(Ordering::Relaxed));
        let (events, event_bytes) = self.queue.as_ref().map_or((0, 0), |queue| queue.waiting());
        let front = &self.handle.front;
        let enrolled: u64 = shared.mailboxes.iter().map(clients).sum();
        let mut info = ServerInfo {
            size: size_of::<ServerInfo>() as u64,
            clients: enrolled.saturating_sub(front.pending.handshakes()),
            arrivals: shared.arrivals.load(Ordering::Relaxed) as u64,
            events,
            event_bytes,
            dropped_logs: self.queue.as_ref().map_or(0, |queue| queue.dropped_logs()),
            evicted: shared.evicted.load(Ordering::Relaxed),
            outbox_bytes: block::outbox_bytes(),
            outbox_budget: block::outbox_budget(),
            connections: front.admissions.count(),
            inbox_bytes: unfinished::inbox_bytes(),
            inbox_budget: unfinished::inbox_budget(),
            overloads: shared.overloads.load(Ordering::Relaxed),
            ..ServerInfo::default()
        };
        front.census.fill(&mut info);
        Ok(info)
    }
}
