//! Calls that concern gateways.

use crate::config::{ClientId, GatewayId};
use crate::error::Result;
use crate::message::Message;

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
        self.shared.gateways.count(gateway).map(|count| count as u64)
    }

    /// The members of a gateway as they were at one moment. Joins and leaves that the workers have not
    /// come to are not seen.
    pub fn gateway_clients(&self, gateway: GatewayId) -> Result<Vec<ClientId>> {
        self.here()?;
        Ok(self.shared.gateways.clients(gateway)?.into_iter().map(ClientId).collect())
    }

    /// Writes as many members as fit, and returns how many there are.
    pub(crate) fn list_gateway(&self, gateway: GatewayId, clients: &mut [u64]) -> Result<usize> {
        self.here()?;
        self.shared.gateways.list(gateway, clients)
    }

    /// Gives a gateway a name that no other of this server has, of at most 255 bytes; an empty one takes
    /// its name away. BUSY: another has it.
    pub fn set_gateway_name(&self, gateway: GatewayId, name: &str) -> Result<()> {
        self.here()?;
        self.shared.gateways.set_name(gateway, name)
    }

    /// A gateway's name; empty when it has none.
    pub fn gateway_name(&self, gateway: GatewayId) -> Result<String> {
        self.here()?;
        self.shared.gateways.name(gateway)
    }

    /// The gateway of this name. CLOSED: there is none.
    pub fn find_gateway(&self, name: &str) -> Result<GatewayId> {
        self.here()?;
        self.shared.gateways.find(name)
    }

    /// Sends a text message to a gateway's members, but not to those in `except`.
    pub fn broadcast_text(&self, gateway: GatewayId, text: &[u8], except: &[ClientId]) -> Result<()> {
        self.broadcast(gateway, Message::text(text), except, None)
    }

    /// Sends a binary message to a gateway's members, but not to those in `except`.
    pub fn broadcast_binary(&self, gateway: GatewayId, data: &[u8], except: &[ClientId]) -> Result<()> {
        self.broadcast(gateway, Message::binary(data), except, None)
    }

    /// A broadcast that tells what became of it: OK means that one OUTCOME with this ticket will come.
    /// FULL: there is no space for it.
    pub fn broadcast_with_outcome(
        &self,
        gateway: GatewayId,
        binary: bool,
        data: &[u8],
        except: &[ClientId],
        ticket: u64,
    ) -> Result<()> {
        self.broadcast(gateway, Message { binary, ..Message::text(data) }, except, Some(ticket))
    }

    /// Sends a message to a gateway's members, but not to those in `except`; with a ticket, as
    /// [`Handle::broadcast_with_outcome`] does.
    pub fn broadcast(
        &self,
        gateway: GatewayId,
        message: Message<'_>,
        except: &[ClientId],
        ticket: Option<u64>,
    ) -> Result<()> {
        self.broadcast_except(gateway, message, ids(except), ticket)
    }

    /// Sends a text message to those of a gateway's members who are in `to`; other ids are skipped.
    pub fn multicast_text(&self, gateway: GatewayId, text: &[u8], to: &[ClientId]) -> Result<()> {
        self.multicast(gateway, Message::text(text), to, None)
    }

    /// Sends a binary message to those of a gateway's members who are in `to`; other ids are skipped.
    pub fn multicast_binary(&self, gateway: GatewayId, data: &[u8], to: &[ClientId]) -> Result<()> {
        self.multicast(gateway, Message::binary(data), to, None)
    }

    /// A multicast that tells what became of it: OK means that one OUTCOME with this ticket will come, in
    /// which ids that were skipped have failed. FULL: there is no space for it.
    pub fn multicast_with_outcome(
        &self,
        gateway: GatewayId,
        binary: bool,
        data: &[u8],
        to: &[ClientId],
        ticket: u64,
    ) -> Result<()> {
        self.multicast(gateway, Message { binary, ..Message::text(data) }, to, Some(ticket))
    }

    /// Sends a message to those of a gateway's members who are in `to`; other ids are skipped. With a ticket, as
    /// [`Handle::multicast_with_outcome`] does.
    pub fn multicast(
        &self,
        gateway: GatewayId,
        message: Message<'_>,
        to: &[ClientId],
        ticket: Option<u64>,
    ) -> Result<()> {
        self.multicast_among(gateway, message, ids(to), ticket)
    }

    /// Sends to a gateway's members, whoever's ids `except` yields apart.
    pub(crate) fn broadcast_except(
        &self,
        gateway: GatewayId,
        message: Message<'_>,
        except: impl Iterator<Item = u64> + Clone,
        ticket: Option<u64>,
    ) -> Result<()> {
        self.poster()?.broadcast(gateway, message, except, ticket)
    }

    /// Sends to those of a gateway's members whose ids `to` yields.
    pub(crate) fn multicast_among(
        &self,
        gateway: GatewayId,
        message: Message<'_>,
        to: impl Iterator<Item = u64>,
        ticket: Option<u64>,
    ) -> Result<()> {
        self.poster()?.multicast(gateway, message, to, ticket)
    }
}

fn ids(clients: &[ClientId]) -> impl Iterator<Item = u64> + Clone {
    clients.iter().map(|client| client.0)
}
