//! Calls that concern gateways, on their way to the workers.

use std::cell::Cell;
use std::sync::Arc;

use crate::config::{ClientId, Compress, Endpoint, GatewayId};
use crate::connection::block::Block;
use crate::error::Result;
use crate::gateway::outcome::Part;
use crate::message::Message;
use crate::protocol::Opcode;

use super::mailbox::{Accounted, Command, OVERHEAD, Span};
use super::post::{block, opcode, stopped};
use super::{Batch, INLINE, Poster};

/// A list of chosen clients that grew past this is not kept for reuse.
const KEEP: usize = 4096;

thread_local! {
    /// Chosen clients and their workers; the memory of this thread's next multicast.
    static CHOSEN: Cell<Vec<(usize, u64)>> = const { Cell::new(Vec::new()) };
}

/// A message to many, as it is posted to each worker.
struct Cast<'a> {
    gateway: u64,
    /// About how many members there are on each worker.
    members: usize,
    opcode: Opcode,
    data: &'a [u8],
    compress: Compress,
    /// A large frame, or one that accounts follow or that may be compressed: encoded once, whoever and how many take
    /// it. Another is copied for each worker. Whose endpoint wants it in smaller frames, gets it so from the worker.
    shared: Option<Arc<Block>>,
}

impl Poster<'_> {
    /// Sends a message to a gateway's members, but not to those in `except`. A ticket asks for the outcome.
    pub(crate) fn broadcast(
        &mut self,
        gateway: GatewayId,
        message: Message<'_>,
        except: impl Iterator<Item = u64> + Clone,
        ticket: Option<u64>,
    ) -> Result<()> {
        let cast = self.cast(gateway, message, ticket.is_some())?;
        let compress = cast.compress;
        let workers = self.shared.mailboxes.len();
        let cost = cast.cost(except.clone().count());
        self.reserve((0..workers).map(|worker| (worker, cost)))?;
        let mut parts = match self.ask(gateway, ticket, workers) {
            Ok(parts) => parts,
            Err(error) => {
                self.release((0..workers).map(|worker| (worker, cost)));
                return Err(error);
            }
        };
        let mut posted = false;
        // All workers have it before the first is woken: they carry it out at nearly the same time.
        for worker in 0..workers {
            let part = parts.pop();
            posted |= self.put(worker, |batch| {
                let except = batch.ids(except.clone());
                batch.reach += cast.members;
                cast.add(batch, part, cost, |gateway, frame| match frame {
                    Ok(frame) => Command::Broadcast { gateway, frame, except, compress },
                    Err(frame) => Command::BroadcastShared { gateway, frame, except, compress },
                });
            });
        }
        self.wake_all();
        // Who asked gets an outcome, and need not be told twice.
        if posted || ticket.is_some() { Ok(()) } else { Err(stopped()) }
    }

    /// Sends a message to those of a gateway's members whose ids are in `to`; other ids are skipped. A
    /// ticket asks for the outcome. Only the workers of those clients are told.
    pub(crate) fn multicast(
        &mut self,
        gateway: GatewayId,
        message: Message<'_>,
        to: impl Iterator<Item = u64>,
        ticket: Option<u64>,
    ) -> Result<()> {
        let cast = self.cast(gateway, message, ticket.is_some())?;
        let mut chosen = CHOSEN.try_with(Cell::take).unwrap_or_default();
        let mut unknown = Vec::new();
        for id in to {
            match self.worker_of(id) {
                Some(worker) => chosen.push((worker, id)),
                None if ticket.is_some() => unknown.push(id),
                None => {}
            }
        }
        // By worker; and an id that is there twice counts once.
        chosen.sort_unstable();
        chosen.dedup();
        if !unknown.is_empty() {
            unknown.sort_unstable();
            unknown.dedup();
            // That goes for a client, too, who was there at its first place in the list, and gone at the next.
            chosen.retain(|(_, id)| unknown.binary_search(id).is_err());
        }
        let result = self.multicast_to(&cast, &chosen, &unknown, ticket);
        chosen.clear();
        if chosen.capacity() <= KEEP {
            // It fails when the thread is coming to its end.
            let _ = CHOSEN.try_with(|kept| kept.set(chosen));
        }
        result
    }

    fn multicast_to(
        &mut self,
        cast: &Cast<'_>,
        chosen: &[(usize, u64)],
        unknown: &[u64],
        ticket: Option<u64>,
    ) -> Result<()> {
        let workers = || {
            let concerned = chosen.chunk_by(|one, other| one.0 == other.0);
            let concerned = concerned.filter_map(|ids| ids.first().map(|first| (first.0, ids)));
            // An outcome is told by a worker, if it is only that nobody was there.
            let nobody = (chosen.is_empty() && ticket.is_some()).then_some((0, chosen));
            concerned.chain(nobody)
        };
        let costs = || workers().map(|(worker, ids)| (worker, cast.cost(ids.len())));
        self.reserve(costs())?;
        let mut parts = match self.ask(GatewayId(cast.gateway), ticket, workers().count()) {
            Ok(parts) => parts,
            Err(error) => {
                self.release(costs());
                return Err(error);
            }
        };
        if let Some(part) = parts.first() {
            part.add(0, unknown);
        }
        let compress = cast.compress;
        for (worker, chosen) in workers() {
            let mut part = parts.pop();
            let ids = || chosen.iter().map(|(_, id)| *id);
            self.put(worker, |batch| {
                let to = batch.ids(ids());
                batch.reach += chosen.len();
                cast.add(batch, part.take(), cast.cost(chosen.len()), |gateway, frame| match frame {
                    Ok(frame) => Command::Multicast { gateway, frame, to, compress },
                    Err(frame) => Command::MulticastShared { gateway, frame, to, compress },
                });
            });
            // Who lived on a worker that has ended is gone.
            if let Some(part) = part {
                part.add(0, &ids().collect::<Vec<u64>>());
            }
        }
        self.wake_all();
        Ok(())
    }

    /// Where a client lives, unless it is gone.
    fn worker_of(&self, id: u64) -> Option<usize> {
        let entry = self.shared.clients.get(id)?;
        let worker = entry.value.worker();
        entry.was(id).then_some(worker)
    }

    fn cast<'a>(&self, gateway: GatewayId, message: Message<'a>, accounted: bool) -> Result<Cast<'a>> {
        let Message { data, compress, .. } = message;
        let opcode = opcode(message)?;
        let members = self.shared.gateways.members(gateway)?.div_ceil(self.shared.mailboxes.len().max(1));
        if self.shared.mailboxes.iter().all(|mailbox| mailbox.has_ended()) {
            return Err(stopped());
        }
        let shared = accounted || data.len() > INLINE || self.packs_for_many(message);
        let shared = shared.then(|| block(opcode, data, usize::MAX));
        Ok(Cast { gateway: gateway.0, members, opcode, data, compress, shared })
    }

    /// Whether several workers may have to compress the message: then they share it, and what becomes of it.
    fn packs_for_many(&self, Message { data, binary, compress }: Message<'_>) -> bool {
        let packs = |endpoint: &Endpoint| {
            endpoint.compression.settings().is_some()
                && endpoint.compression.wants(compress, binary, data.len())
        };
        self.shared.mailboxes.len() > 1 && self.shared.endpoints.iter().any(packs)
    }

    /// Reserves room in the mailboxes of these workers, in all or in none.
    fn reserve(&self, costs: impl Iterator<Item = (usize, u64)> + Clone) -> Result<()> {
        for (nth, (worker, cost)) in costs.clone().enumerate() {
            let reserved = self.shared.mailboxes.get(worker).map_or(Ok(()), |mailbox| mailbox.reserve(cost));
            if let Err(error) = reserved {
                self.release(costs.take(nth));
                return Err(error);
            }
        }
        Ok(())
    }

    fn release(&self, costs: impl Iterator<Item = (usize, u64)>) {
        for (worker, cost) in costs {
            if let Some(mailbox) = self.shared.mailboxes.get(worker) {
                mailbox.release(cost);
            }
        }
    }

    /// A part of the outcome for each of so many workers, if it was asked for.
    fn ask(&self, gateway: GatewayId, ticket: Option<u64>, workers: usize) -> Result<Vec<Part>> {
        match ticket {
            Some(ticket) => self.shared.outcomes.ask(ticket, gateway.0, workers),
            None => Ok(Vec::new()),
        }
    }

    /// Adds a client to a gateway.
    pub(crate) fn join(&mut self, gateway: GatewayId, client: ClientId) -> Result<()> {
        self.shared.gateways.check(gateway)?;
        let worker = self.client(client)?.value.worker();
        self.tell_within(client, worker, |_| Command::Join { gateway: gateway.0, client: client.0 })
    }

    /// Takes a client out of a gateway.
    pub(crate) fn leave(&mut self, gateway: GatewayId, client: ClientId) -> Result<()> {
        self.shared.gateways.check(gateway)?;
        let worker = self.client(client)?.value.worker();
        self.tell_within(client, worker, |_| Command::Leave { gateway: gateway.0, client: client.0 })
    }

    /// Ends a gateway. Its id is stale at once; the members are let go as the workers come to it.
    pub(crate) fn retire(&mut self, gateway: GatewayId) -> Result<()> {
        self.shared.gateways.remove(gateway)?;
        for worker in 0..self.shared.mailboxes.len() {
            self.post(worker, |batch| batch.commands.push(Command::Retire { gateway: gateway.0 }));
        }
        Ok(())
    }
}

impl Cast<'_> {
    fn cost(&self, ids: usize) -> u64 {
        (self.data.len() + 8 * ids) as u64 + OVERHEAD
    }

    /// Adds it to a worker's batch. `command` gets the frame in the batch, or one of its own.
    fn add(
        &self,
        batch: &mut Batch,
        part: Option<Part>,
        cost: u64,
        command: impl FnOnce(u64, std::result::Result<Span, Arc<Block>>) -> Command,
    ) {
        let frame = match &self.shared {
            Some(shared) => Err(Arc::clone(shared)),
            None if batch.is_large() => Err(block(self.opcode, self.data, usize::MAX)),
            None => Ok(batch.frame(self.opcode, self.data, usize::MAX)),
        };
        let command = command(self.gateway, frame);
        batch.reserved += cost;
        batch.commands.push(match part {
            Some(part) => Command::Accounted(Box::new(Accounted { part, command })),
            None => command,
        });
    }
}

#[cfg(test)]
#[path = "cast_tests.rs"]
mod tests;
