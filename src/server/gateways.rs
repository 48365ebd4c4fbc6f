//! Calls that concern gateways.

use crate::config::{ClientId, GatewayId};
use crate::error::Result;

use super::Handle;

impl Handle {
    /// Makes a gateway.
    pub fn new_gateway(&self) -> Result<GatewayId> {
        self.here()?;
        self.shared.gateways.create()
    }

    /// Ends a gateway; its members stay connected.
    pub fn free_gateway(&self, gateway: GatewayId) -> Result<()> {
        self.poster()?.retire(gateway)
    }

    /// Adds a client to a gateway. It leaves by itself when it closes.
    pub fn join_gateway(&self, gateway: GatewayId, client: ClientId) -> Result<()> {
        self.poster()?.join(gateway, client)
    }

    /// Takes a client out of a gateway.
    pub fn leave_gateway(&self, gateway: GatewayId, client: ClientId) -> Result<()> {
        self.poster()?.leave(gateway, client)
    }

    /// How many members a gateway has. Joins and leaves that the workers have not come to don't count.
    pub fn gateway_count(&self, gateway: GatewayId) -> Result<u64> {
        self.here()?;
        self.shared.gateways.members(gateway)
    }

    /// Sends a text message to a gateway's members, but not to those in `except`.
    pub fn broadcast_text(&self, gateway: GatewayId, text: &[u8], except: &[ClientId]) -> Result<()> {
        self.broadcast(gateway, false, text, except.iter().map(|client| client.0))
    }

    /// Sends a binary message to a gateway's members, but not to those in `except`.
    pub fn broadcast_binary(&self, gateway: GatewayId, data: &[u8], except: &[ClientId]) -> Result<()> {
        self.broadcast(gateway, true, data, except.iter().map(|client| client.0))
    }

    /// Sends to a gateway's members, whoever's ids `except` yields apart.
    pub(crate) fn broadcast(
        &self,
        gateway: GatewayId,
        binary: bool,
        data: &[u8],
        except: impl Iterator<Item = u64> + Clone,
    ) -> Result<()> {
        self.poster()?.broadcast(gateway, binary, data, except)
    }
}
