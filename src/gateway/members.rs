//! One worker's part of the gateways.

use std::collections::HashMap;

use super::Gateways;

/// Where a client stands in one gateway: kept with the client, so that it leaves in constant time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    gateway: u64,
    position: u32,
}

/// One worker's members of every gateway. Clients are named by their place on the worker.
#[derive(Debug)]
pub(crate) struct Members {
    worker: usize,
    sets: HashMap<u64, Vec<u32>>,
}

impl Members {
    pub(crate) fn new(worker: usize) -> Self {
        Self { worker, sets: HashMap::new() }
    }

    /// Adds a client to a gateway; nothing happens if it is a member.
    ///
    /// Whether the gateway still lives is not asked: it did when the caller joined, and what the caller
    /// broadcast before the gateway was freed comes behind. Its end comes by [`Members::retire`].
    pub(crate) fn join(
        &mut self,
        gateways: &Gateways,
        gateway: u64,
        place: u32,
        client: u64,
        memberships: &mut Vec<Membership>,
    ) {
        if Membership::is_in(memberships, gateway) {
            return;
        }
        let set = self.sets.entry(gateway).or_default();
        // Most clients are in one gateway: don't let the vector begin with room for four.
        memberships.reserve_exact(1);
        memberships.push(Membership { gateway, position: set.len() as u32 });
        set.push(place);
        gateways.joined(gateway, self.worker, client);
    }

    /// Takes a client out of a gateway, given the membership that it held. Returns the place of the
    /// member who moved into its position, whose own membership [`Members::moved`] mends.
    pub(crate) fn leave(&mut self, gateways: &Gateways, membership: Membership) -> Option<u32> {
        let set = self.sets.get_mut(&membership.gateway)?;
        let position = membership.position as usize;
        if position >= set.len() {
            return None;
        }
        set.swap_remove(position);
        gateways.left(membership.gateway, self.worker, position);
        let moved = set.get(position).copied();
        if set.is_empty() {
            self.sets.remove(&membership.gateway);
        }
        moved
    }

    /// Forgets a gateway and returns those who were in it.
    pub(crate) fn retire(&mut self, gateway: u64) -> Vec<u32> {
        self.sets.remove(&gateway).unwrap_or_default()
    }

    /// Lends out the places of a gateway's members, so that the worker can be used beside them;
    /// [`Members::give_back`] ends the loan. Nobody may join or leave in between.
    pub(crate) fn lend(&mut self, gateway: u64) -> Vec<u32> {
        self.sets.get_mut(&gateway).map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn give_back(&mut self, gateway: u64, members: Vec<u32>) {
        if let Some(set) = self.sets.get_mut(&gateway) {
            *set = members;
        }
    }
}

impl Membership {
    /// Whether the client with these memberships is in `gateway`.
    pub(crate) fn is_in(memberships: &[Self], gateway: u64) -> bool {
        memberships.iter().any(|m| m.gateway == gateway)
    }

    /// Takes the membership of `gateway` out of a client's list.
    pub(crate) fn take(memberships: &mut Vec<Self>, gateway: u64) -> Option<Self> {
        let at = memberships.iter().position(|m| m.gateway == gateway)?;
        Some(memberships.swap_remove(at))
    }

    /// Tells a member that it now stands where `left` stood.
    pub(crate) fn moved(memberships: &mut [Self], left: Self) {
        if let Some(mine) = memberships.iter_mut().find(|m| m.gateway == left.gateway) {
            mine.position = left.position;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn members_come_and_go_in_any_order() {
        let gateways = Gateways::default();
        let gateway = gateways.create().unwrap();
        let mut members = Members::new(0);
        let mut clients: Vec<Vec<Membership>> = vec![Vec::new(); 5];
        for (place, memberships) in clients.iter_mut().enumerate() {
            members.join(&gateways, gateway.0, place as u32, 70 + place as u64, memberships);
            members.join(&gateways, gateway.0, place as u32, 70 + place as u64, memberships);
        }
        assert_eq!(gateways.count(gateway), Ok(5));
        for leaver in [0, 4, 2, 1, 3] {
            let left = Membership::take(&mut clients[leaver], gateway.0).unwrap();
            if let Some(moved) = members.leave(&gateways, left) {
                Membership::moved(&mut clients[moved as usize], left);
            }
            let mut here = members.sets.get(&gateway.0).cloned().unwrap_or_default();
            here.sort_unstable();
            let expected: Vec<u32> = (0..5).filter(|c| !clients[*c as usize].is_empty()).collect();
            assert_eq!(here, expected);
            let mut listed = gateways.clients(gateway).unwrap();
            listed.sort_unstable();
            assert_eq!(listed, here.iter().map(|place| 70 + u64::from(*place)).collect::<Vec<_>>());
        }
        assert_eq!(gateways.count(gateway), Ok(0));
        assert!(members.sets.is_empty());
    }

    #[test]
    fn a_gateway_that_is_freed_is_stale_at_once_and_retires_its_members() {
        let gateways = Gateways::default();
        let gateway = gateways.create().unwrap();
        gateways.remove(gateway).unwrap();
        assert_eq!(gateways.remove(gateway).unwrap_err().kind(), ErrorKind::Closed);
        let (mut members, mut memberships) = (Members::new(0), Vec::new());
        members.join(&gateways, gateway.0, 1, 71, &mut memberships);
        assert_eq!(members.retire(gateway.0), [1]);
        assert!(members.sets.is_empty());
    }
}
