//! Sets of clients that are broadcast to.
//!
//! A gateway's members live on every worker: [`Gateways`] is what all threads share, the names and
//! whether they are good; [`Members`] is one worker's part of the sets.

mod members;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::config::GatewayId;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::Table;

pub(crate) use members::{Members, Membership};

/// The gateways of a server.
#[derive(Debug, Default)]
pub(crate) struct Gateways {
    table: Table<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    members: AtomicU64,
}

impl Gateways {
    pub(crate) fn create(&self) -> Result<GatewayId> {
        self.table
            .insert(|_, shared| shared.members.store(0, Ordering::Relaxed))
            .map(GatewayId)
            .ok_or_else(|| Error::new(ErrorKind::Full, "there are too many gateways"))
    }

    pub(crate) fn check(&self, gateway: GatewayId) -> Result<()> {
        match self.table.get(gateway.0) {
            Some(_) => Ok(()),
            None => Err(Error::new(ErrorKind::Closed, format!("gateway {} is gone", gateway.0))),
        }
    }

    pub(crate) fn remove(&self, gateway: GatewayId) -> Result<()> {
        self.check(gateway)?;
        self.table.remove(gateway.0);
        Ok(())
    }

    /// Counts members in (+1) and out (-1).
    fn count(&self, gateway: u64, by: i64) {
        if let Some(entry) = self.table.get(gateway) {
            entry.value.members.fetch_add(by as u64, Ordering::Relaxed);
        }
    }

    /// How many clients are members, on all workers.
    pub(crate) fn members(&self, gateway: GatewayId) -> Result<u64> {
        self.check(gateway)?;
        Ok(self.table.get(gateway.0).map_or(0, |entry| entry.value.members.load(Ordering::Relaxed)))
    }
}
