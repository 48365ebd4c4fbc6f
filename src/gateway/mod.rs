//! Sets of clients that are broadcast to.
//!
//! A gateway's members live on every worker: [`Gateways`] is what all threads share, the names and
//! who is in; [`Members`] is one worker's part of the sets, which it sends to without a lock.

pub(crate) mod account;
mod members;
pub(crate) mod outcome;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::config::GatewayId;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::Table;

pub(crate) use members::{Members, Membership};

/// The longest name of a gateway, in bytes.
const MAX_NAME: usize = 255;

/// The gateways of a server.
#[derive(Debug, Default)]
pub(crate) struct Gateways {
    table: Table<Shared>,
    /// Locked before any roster is.
    names: Mutex<HashMap<Box<str>, u64>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// How many are in the roster, for whoever need not know exactly.
    members: AtomicUsize,
    roster: Mutex<Roster>,
}

/// Who is in a gateway, for whoever asks. Joining and leaving take its lock, sending does not.
#[derive(Debug, Default)]
struct Roster {
    /// Whose it is; 0 once that gateway is gone.
    gateway: u64,
    name: Option<Box<str>>,
    /// Of each worker, the members in the order of its own list.
    workers: Vec<Vec<u64>>,
}

impl Roster {
    fn count(&self) -> usize {
        self.workers.iter().map(Vec::len).sum()
    }
}

impl Gateways {
    pub(crate) fn create(&self) -> Result<GatewayId> {
        self.table
            .insert(|id, shared| {
                shared.members.store(0, Ordering::Relaxed);
                *shared.roster.lock() = Roster { gateway: id, ..Roster::default() };
            })
            .map(GatewayId)
            .ok_or_else(|| Error::new(ErrorKind::Full, "there are too many gateways"))
    }

    pub(crate) fn check(&self, gateway: GatewayId) -> Result<()> {
        self.members(gateway).map(|_| ())
    }

    /// About how many members a gateway has. Takes no lock.
    pub(crate) fn members(&self, gateway: GatewayId) -> Result<usize> {
        let entry = self.table.get(gateway.0).ok_or_else(|| gone(gateway))?;
        Ok(entry.value.members.load(Ordering::Relaxed))
    }

    /// Makes the id stale, and the name free.
    pub(crate) fn remove(&self, gateway: GatewayId) -> Result<()> {
        let entry = self.table.get(gateway.0).ok_or_else(|| gone(gateway))?;
        {
            let mut names = self.names.lock();
            let mut roster = entry.value.roster.lock();
            if roster.gateway == gateway.0 {
                let Roster { name, .. } = std::mem::take(&mut *roster);
                name.map(|name| names.remove(&name));
            }
        }
        match self.table.remove(gateway.0) {
            true => Ok(()),
            false => Err(gone(gateway)),
        }
    }

    /// Looks into a gateway's roster, if it is not gone.
    fn roster<T>(&self, gateway: GatewayId, look: impl FnOnce(&mut Roster) -> T) -> Result<T> {
        let entry = self.table.get(gateway.0).ok_or_else(|| gone(gateway))?;
        let mut roster = entry.value.roster.lock();
        if roster.gateway != gateway.0 {
            return Err(gone(gateway));
        }
        let result = look(&mut roster);
        entry.value.members.store(roster.count(), Ordering::Relaxed);
        Ok(result)
    }

    /// Notes a client that joined on a worker, behind those who are in there.
    fn joined(&self, gateway: u64, worker: usize, client: u64) {
        // An error: the gateway is gone, and its roster with it.
        let _ = self.roster(GatewayId(gateway), |roster| {
            if roster.workers.len() <= worker {
                roster.workers.resize_with(worker + 1, Vec::new);
            }
            if let Some(members) = roster.workers.get_mut(worker) {
                members.push(client);
            }
        });
    }

    /// Notes that the client at this position of a worker's list left; the last one takes its place.
    fn left(&self, gateway: u64, worker: usize, position: usize) {
        let _ = self.roster(GatewayId(gateway), |roster| {
            if let Some(members) = roster.workers.get_mut(worker).filter(|members| position < members.len()) {
                members.swap_remove(position);
            }
        });
    }

    /// How many clients are members, on all workers.
    pub(crate) fn count(&self, gateway: GatewayId) -> Result<usize> {
        self.roster(gateway, |roster| roster.count())
    }

    /// Writes as many of the members' ids into `clients` as fit, and returns how many there are.
    pub(crate) fn list(&self, gateway: GatewayId, clients: &mut [u64]) -> Result<usize> {
        self.roster(gateway, |roster| {
            let mut places = clients.iter_mut();
            for member in roster.workers.iter().flatten() {
                let Some(place) = places.next() else { break };
                *place = *member;
            }
            roster.count()
        })
    }

    /// The members' ids.
    pub(crate) fn clients(&self, gateway: GatewayId) -> Result<Vec<u64>> {
        self.roster(gateway, |roster| roster.workers.concat())
    }

    /// Names a gateway; an empty name takes its name away. BUSY when another has it.
    pub(crate) fn set_name(&self, gateway: GatewayId, name: &str) -> Result<()> {
        if name.len() > MAX_NAME {
            let length = name.len();
            return Err(Error::new(
                ErrorKind::Config,
                format!("gateway name has {length} bytes, more than {MAX_NAME}"),
            ));
        }
        let mut names = self.names.lock();
        if let Some(other) = names.get(name).filter(|other| **other != gateway.0) {
            return Err(Error::new(
                ErrorKind::Busy,
                format!("gateway {other} has the name {name:?} already"),
            ));
        }
        let new = (!name.is_empty()).then(|| Box::from(name));
        let old = self.roster(gateway, |roster| std::mem::replace(&mut roster.name, new.clone()))?;
        old.map(|old| names.remove(&old));
        new.map(|new| names.insert(new, gateway.0));
        Ok(())
    }

    /// A gateway's name; empty when it has none.
    pub(crate) fn name(&self, gateway: GatewayId) -> Result<String> {
        self.roster(gateway, |roster| roster.name.as_deref().unwrap_or_default().to_owned())
    }

    /// The gateway that has this name.
    pub(crate) fn find(&self, name: &str) -> Result<GatewayId> {
        let found = self.names.lock().get(name).copied().map(GatewayId);
        found.ok_or_else(|| Error::new(ErrorKind::Closed, format!("no gateway has the name {name:?}")))
    }
}

#[cold]
fn gone(gateway: GatewayId) -> Error {
    Error::new(ErrorKind::Closed, format!("gateway {} is gone", gateway.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_belongs_to_one_gateway_until_it_is_renamed_or_gone() {
        let gateways = Gateways::default();
        let (one, two) = (gateways.create().unwrap(), gateways.create().unwrap());
        assert_eq!(gateways.name(one).unwrap(), "");
        gateways.set_name(one, "lobby").unwrap();
        gateways.set_name(one, "lobby").unwrap();
        assert_eq!(gateways.set_name(two, "lobby").unwrap_err().kind(), ErrorKind::Busy);
        assert_eq!(gateways.find("lobby"), Ok(one));
        gateways.set_name(one, "foyer").unwrap();
        assert_eq!(gateways.find("lobby").unwrap_err().kind(), ErrorKind::Closed);
        gateways.set_name(two, "lobby").unwrap();
        gateways.remove(two).unwrap();
        assert!(gateways.find("lobby").is_err() && gateways.set_name(two, "x").is_err());
        gateways.set_name(one, "").unwrap();
        assert!(gateways.find("foyer").is_err() && gateways.find("").is_err());
        assert!(gateways.names.lock().is_empty());
        let error = gateways.set_name(one, &"x".repeat(256)).unwrap_err();
        assert_eq!(error.to_string(), "gateway name has 256 bytes, more than 255");
    }

    #[test]
    fn a_roster_ends_with_its_gateway_and_is_not_the_next_ones() {
        let gateways = Gateways::default();
        let one = gateways.create().unwrap();
        gateways.joined(one.0, 1, 7);
        gateways.joined(one.0, 0, 8);
        let mut clients = [0; 1];
        assert_eq!(gateways.list(one, &mut clients), Ok(2));
        assert_eq!((clients, gateways.clients(one)), ([8], Ok(vec![8, 7])));
        gateways.remove(one).unwrap();
        let two = gateways.create().unwrap();
        gateways.joined(one.0, 0, 9);
        gateways.left(one.0, 0, 0);
        assert_eq!(gateways.count(two), Ok(0));
        assert_eq!(gateways.count(one).unwrap_err().kind(), ErrorKind::Closed);
    }
}
