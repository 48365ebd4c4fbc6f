//! Calls that concern gateways, on their way to the workers.

use crate::config::{ClientId, GatewayId};
use crate::error::Result;

use super::post::{block, opcode, stopped};
use super::{Command, INLINE, Poster};

impl Poster<'_> {
    /// Sends a message to a gateway's members, but not to those in `except`.
    pub(crate) fn broadcast(
        &mut self,
        gateway: GatewayId,
        binary: bool,
        data: &[u8],
        except: impl Iterator<Item = u64> + Clone,
    ) -> Result<()> {
        let opcode = opcode(binary, data)?;
        self.shared.gateways.check(gateway)?;
        // Encoded once, whoever and how many take it; a small frame is copied once for each worker.
        let shared = (data.len() > INLINE).then(|| block(opcode, data));
        let mut posted = true;
        // All workers have it before the first is woken: they carry it out at nearly the same time.
        for worker in 0..self.shared.mailboxes.len() {
            let (except, shared) = (except.clone(), shared.clone());
            posted &= self.put(worker, |batch| {
                let except = batch.ids(except);
                let command = match shared {
                    Some(frame) => Command::BroadcastShared { gateway: gateway.0, frame, except },
                    None if batch.is_large() => {
                        Command::BroadcastShared { gateway: gateway.0, frame: block(opcode, data), except }
                    }
                    None => {
                        Command::Broadcast { gateway: gateway.0, frame: batch.frame(opcode, data), except }
                    }
                };
                batch.commands.push(command);
            });
        }
        self.wake_all();
        if posted { Ok(()) } else { Err(stopped()) }
    }

    /// Adds a client to a gateway.
    pub(crate) fn join(&mut self, gateway: GatewayId, client: ClientId) -> Result<()> {
        self.shared.gateways.check(gateway)?;
        let worker = self.client(client)?.value.worker();
        self.tell(client, worker, |_| Command::Join { gateway: gateway.0, client: client.0 })
    }

    /// Takes a client out of a gateway.
    pub(crate) fn leave(&mut self, gateway: GatewayId, client: ClientId) -> Result<()> {
        self.shared.gateways.check(gateway)?;
        let worker = self.client(client)?.value.worker();
        self.tell(client, worker, |_| Command::Leave { gateway: gateway.0, client: client.0 })
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
