//! From a call on any thread to the workers it concerns.

use std::collections::HashSet;
use std::sync::Arc;

use crate::config::{ClientId, Endpoint, MAX_SEND_SIZE};
use crate::connection::block::Block;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::Entry;
use crate::message::Message;
use crate::protocol::{self, Opcode, frame};

use super::mailbox::{OVERHEAD, REACH};
use super::{Batch, Client, Command, INLINE, Mailbox, Refused, Shared, desk};

/// Posts commands: each at once, or gathered so that every worker gets its share in one piece.
pub(crate) struct Poster<'a> {
    pub(super) shared: &'a Shared,
    /// One batch a worker, while gathering.
    gathered: Option<&'a mut Vec<Batch>>,
    /// While gathering: who was refused with FULL. A later, smaller message must not overtake the one
    /// that the caller keeps until DRAIN.
    full: HashSet<u64>,
}

impl<'a> Poster<'a> {
    /// Posts each command at once.
    pub(crate) fn direct(shared: &'a Shared) -> Self {
        Self { shared, gathered: None, full: HashSet::new() }
    }

    /// Gathers commands in `batches` until [`Poster::deliver`].
    pub(crate) fn gathering(shared: &'a Shared, batches: &'a mut Vec<Batch>) -> Self {
        // A call that panicked may have left something, for another server even.
        batches.iter_mut().for_each(Batch::clear);
        batches.resize_with(shared.mailboxes.len(), Batch::default);
        Self { shared, gathered: Some(batches), full: HashSet::new() }
    }

    /// Hands every worker what was gathered for it.
    pub(crate) fn deliver(mut self) {
        let Some(batches) = self.gathered.take() else { return };
        for (batch, mailbox) in batches.iter_mut().zip(&self.shared.mailboxes) {
            if !batch.is_empty() && !put(mailbox, |queued| queued.append(batch)) {
                batch.abandon();
                batch.clear();
            }
        }
        self.wake_all();
    }

    /// Sends a message to one client. OK means queued.
    pub(crate) fn send(&mut self, client: ClientId, message: Message<'_>) -> Result<()> {
        let Message { data, binary, compress } = message;
        let opcode = opcode(message)?;
        let entry = self.client(client)?;
        let settings = self.settings(entry)?;
        // What is to be compressed goes by way of its worker, which has the client's context, and splits what
        // comes of it.
        let packing =
            entry.value.agreement().filter(|_| settings.compression.wants(compress, binary, data.len()));
        let split = if packing.is_some() { usize::MAX } else { settings.frame_split };
        let length = frame::message_size(data.len(), split);
        let reserved = match self.has_refused(client) {
            true => Err(Refused::Full),
            false => entry.reserve(client.0, length as u32),
        };
        reserved.map_err(|refused| match refused {
            Refused::Closed => gone(client),
            Refused::Full => self.refuse(client),
        })?;
        let worker = entry.value.worker();
        if self.gathered.is_none() && packing.is_none_or(|agreement| !agreement.server_takeover) {
            let place = entry.value.place();
            let direct = self.shared.mailboxes.get(worker).and_then(|mailbox| {
                desk::with(mailbox, |desk| {
                    let clear = desk.is_clear();
                    match packing.filter(|_| clear) {
                        Some(agreement) => {
                            desk.push_packed(place, opcode, data, &agreement, settings, length as u32);
                        }
                        None if clear => {
                            desk.outgoing.borrow_mut().push(place, opcode, data, split, length as u32);
                        }
                        None => {}
                    }
                    clear
                })
            });
            if direct == Some(true) {
                return Ok(());
            }
        }
        let posted = if length > INLINE {
            let block = block(opcode, data, split);
            self.post(worker, |batch| {
                batch.commands.push(Command::SendShared { client: client.0, frame: block, compress });
            })
        } else {
            self.post(worker, |batch| {
                let command = if batch.is_large() {
                    Command::SendShared { client: client.0, frame: block(opcode, data, split), compress }
                } else {
                    Command::Send { client: client.0, frame: batch.frame(opcode, data, split), compress }
                };
                batch.commands.push(command);
            })
        };
        if posted { Ok(()) } else { Err(gone(client)) }
    }

    /// Pings a client; its answer raises PONG with the ticket.
    pub(crate) fn ping(&mut self, client: ClientId, ticket: u64) -> Result<()> {
        let entry = self.client(client)?;
        if entry.value.is_closing() {
            return Err(gone(client));
        }
        self.tell_within(client, entry.value.worker(), |_| Command::Ping { client: client.0, ticket })
    }

    /// Begins the closing handshake with a client.
    pub(crate) fn close(&mut self, client: ClientId, code: u32, reason: &[u8]) -> Result<()> {
        let code = u16::try_from(code).ok().filter(|code| protocol::is_sendable(*code)).ok_or_else(|| {
            Error::invalid(format!(
                "close code is {code}, not one of 1000 to 1003, 1007 to 1014 and 3000 to 4999"
            ))
        })?;
        if reason.len() > protocol::MAX_REASON {
            let (length, max) = (reason.len(), protocol::MAX_REASON);
            return Err(Error::invalid(format!("close reason has {length} bytes, more than {max}")));
        }
        if !protocol::is_utf8(reason) {
            return Err(Error::invalid("close reason is not UTF-8"));
        }
        let entry = self.client(client)?;
        if !entry.value.begin_close(client.0) {
            return Err(gone(client));
        }
        let worker = entry.value.worker();
        self.tell(client, worker, |batch| Command::Close {
            client: client.0,
            code,
            reason: batch.text(reason),
        })
    }

    /// The application has dealt with so much of what a client said.
    pub(crate) fn grant(&mut self, client: ClientId, bytes: u64, messages: u64) -> Result<()> {
        let entry = self.client(client)?;
        if !self.settings(entry)?.window.by_grants {
            return Err(Error::invalid(format!("the endpoint of client {} takes no grants", client.0)));
        }
        let messages = u32::try_from(messages).unwrap_or(u32::MAX);
        self.tell(client, entry.value.worker(), |_| Command::Grant { client: client.0, bytes, messages })
    }

    /// Stops the reading of a client, from the next message on.
    pub(crate) fn pause(&mut self, client: ClientId) -> Result<()> {
        let entry = self.client(client)?;
        // False when it is paused already, or gone by now.
        entry.value.set_paused(client.0, true);
        if entry.is(client.0) { Ok(()) } else { Err(gone(client)) }
    }

    /// Reads a paused client again.
    pub(crate) fn resume(&mut self, client: ClientId) -> Result<()> {
        let entry = self.client(client)?;
        if !entry.value.set_paused(client.0, false) {
            return if entry.is(client.0) { Ok(()) } else { Err(gone(client)) };
        }
        self.tell(client, entry.value.worker(), |_| Command::Resume { client: client.0 })
    }

    pub(super) fn client(&self, client: ClientId) -> Result<&'a Entry<Client>> {
        self.shared.clients.get(client.0).ok_or_else(|| gone(client))
    }

    /// While gathering: whether a send to this client was refused with FULL.
    pub(super) fn has_refused(&self, client: ClientId) -> bool {
        self.full.contains(&client.0)
    }

    #[cold]
    pub(super) fn refuse(&mut self, client: ClientId) -> Error {
        if self.gathered.is_some() {
            self.full.insert(client.0);
        }
        full(client)
    }

    pub(super) fn is_gathering(&self) -> bool {
        self.gathered.is_some()
    }

    pub(super) fn settings(&self, entry: &Entry<Client>) -> Result<&'a Endpoint> {
        self.shared
            .endpoints
            .get(entry.value.endpoint())
            .ok_or_else(|| Error::new(ErrorKind::Closed, "the client is gone"))
    }

    pub(super) fn tell(
        &mut self,
        client: ClientId,
        worker: usize,
        command: impl FnOnce(&mut Batch) -> Command,
    ) -> Result<()> {
        let posted = self.post(worker, |batch| {
            let command = command(batch);
            batch.commands.push(command);
        });
        if posted { Ok(()) } else { Err(gone(client)) }
    }

    /// The same for what a caller may repeat without an end: FULL when too much waits for the worker.
    pub(super) fn tell_within(
        &mut self,
        client: ClientId,
        worker: usize,
        command: impl FnOnce(&mut Batch) -> Command,
    ) -> Result<()> {
        let mailbox = self.shared.mailboxes.get(worker).ok_or_else(|| gone(client))?;
        mailbox.reserve(OVERHEAD)?;
        self.tell(client, worker, |batch| {
            batch.reserved += OVERHEAD;
            command(batch)
        })
    }

    /// Adds to a worker's commands. False when it has ended.
    pub(super) fn post(&mut self, worker: usize, fill: impl FnOnce(&mut Batch)) -> bool {
        let done = self.put(worker, fill);
        if self.gathered.is_none()
            && let Some(mailbox) = self.shared.mailboxes.get(worker)
        {
            mailbox.wake();
            self.shared.nudge();
        }
        done
    }

    /// The same, without waking it.
    pub(super) fn put(&mut self, worker: usize, fill: impl FnOnce(&mut Batch)) -> bool {
        match &mut self.gathered {
            Some(batches) => {
                let mailbox = self.shared.mailboxes.get(worker).filter(|mailbox| !mailbox.has_ended());
                let Some((batch, mailbox)) = batches.get_mut(worker).zip(mailbox) else { return false };
                fill(batch);
                // More would be too much for one turn: the next batch is for another.
                batch.reach < REACH || put(mailbox, |queued| queued.append(batch))
            }
            None => self.shared.mailboxes.get(worker).is_some_and(|mailbox| put(mailbox, fill)),
        }
    }

    /// Wakes the workers, unless what is for them is still being gathered.
    pub(super) fn wake_all(&self) {
        self.shared.mailboxes.iter().filter(|mailbox| mailbox.is_filled()).for_each(|mailbox| mailbox.wake());
        self.shared.nudge();
    }
}

/// Adds to the commands of the worker with this mailbox: through its desk, on its own thread.
pub(super) fn put(mailbox: &Arc<Mailbox>, fill: impl FnOnce(&mut Batch)) -> bool {
    let mut fill = Some(fill);
    let local = desk::with(mailbox, |desk| {
        if let Some(fill) = fill.take() {
            desk.post(fill);
        }
    });
    local.is_some() || fill.take().is_some_and(|fill| mailbox.put(fill))
}

pub(super) fn block(opcode: Opcode, data: &[u8], split: usize) -> Arc<Block> {
    let mut bytes = Vec::new();
    frame::write_message(&mut bytes, opcode, false, data, split);
    Block::new(bytes)
}

pub(super) fn opcode(Message { data, binary, .. }: Message<'_>) -> Result<Opcode> {
    if data.len() as u64 > MAX_SEND_SIZE.max {
        MAX_SEND_SIZE.check(data.len() as u64)?;
    }
    match binary {
        true => Ok(Opcode::Binary),
        false if protocol::is_utf8(data) => Ok(Opcode::Text),
        false => Err(Error::invalid("a text message must be UTF-8")),
    }
}

#[cold]
pub(super) fn gone(client: ClientId) -> Error {
    Error::new(ErrorKind::Closed, format!("client {} is gone", client.0))
}

#[cold]
fn full(client: ClientId) -> Error {
    Error::new(ErrorKind::Full, format!("the outbox of client {} is full", client.0))
}

#[cold]
pub(super) fn stopped() -> Error {
    Error::new(ErrorKind::Closed, "the server has stopped")
}
