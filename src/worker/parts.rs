//! Messages that are sent in parts: the calls, and what a worker makes of them.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{ClientId, Compress, MAX_SEND_SIZE};
use crate::connection::block::Block;
use crate::connection::open::{Behind, PartOf};
use crate::connection::outbox::{Class, Load};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Cause;
use crate::protocol::{Codec, Opcode, deflate, frame, reason};

use super::carry_out::Outgo;
use super::desk::Desk;
use super::post::gone;
use super::wheel::Timer;
use super::{Client, Command, Held, INLINE, Poster, Refused, Worker, desk};

/// How often an open message is looked at while its time passes.
const LOOKS: u32 = 4;

impl Poster<'_> {
    /// Begins a message to a client that is sent in parts. BUSY while another is open.
    pub(crate) fn begin(&mut self, client: ClientId, binary: bool, compress: Compress) -> Result<()> {
        let entry = self.client(client)?;
        if entry.value.is_closing() {
            return Err(gone(client));
        }
        if !entry.value.open_message(client.0) {
            return Err(if entry.is(client.0) {
                Error::new(ErrorKind::Busy, format!("a message to client {} is open: end it first", client.0))
            } else {
                gone(client)
            });
        }
        let worker = entry.value.worker();
        // In a callback the peer's end may follow at once, and is not to come before the answer.
        if !self.is_gathering() && entry.value.agreement().is_none() {
            let (opcode, bound) = (opcode(binary), bound(&entry.value));
            let mailbox = self.shared.mailboxes.get(worker);
            let begun = mailbox.and_then(|mailbox| {
                desk::with(mailbox, |desk| {
                    desk.is_clear()
                        && desk.outgoing.borrow_mut().begin(entry.value.place(), opcode, false, bound)
                })
            });
            if begun == Some(true) {
                return Ok(());
            }
        }
        self.tell(client, worker, |_| Command::Begin { client: client.0, binary, compress })
    }

    /// Sends a part of the message that is open: with `last`, its end.
    pub(crate) fn part(&mut self, client: ClientId, data: &[u8], last: bool) -> Result<()> {
        MAX_SEND_SIZE.check(data.len() as u64)?;
        let entry = self.client(client)?;
        if entry.value.is_closing() {
            return Err(gone(client));
        }
        if !entry.value.has_open_message() {
            return Err(none_open(client));
        }
        if data.is_empty() && !last {
            return Ok(());
        }
        // A compressed part goes by way of its worker, which splits what comes of it.
        let packs = entry.value.agreement().is_some();
        let split = if packs { usize::MAX } else { self.settings(entry)?.frame_split };
        let length = frame::message_size(data.len(), split) as u32;
        let refused = match self.has_refused(client) {
            true => Err(Refused::Full),
            false => entry.reserve_part(client.0, length, data.is_empty()),
        };
        refused.map_err(|refused| match refused {
            Refused::Closed => gone(client),
            Refused::Full => self.refuse(client),
        })?;
        // Another thread may have ended it meanwhile: then this part is of no use to its worker, which frees its
        // room again.
        let was_open = !last || entry.value.end_message(client.0);
        match self.part_directly(entry.value.worker(), entry.value.place(), packs, data, split, last, length)
        {
            Some(true) => {}
            Some(false) => {
                // A callback is told at once what a worker could only log.
                self.abort_open(client)?;
                return Err(Error::invalid("a text message must be UTF-8"));
            }
            None => self.post_part(client, entry.value.worker(), data, split, last)?,
        }
        if was_open { Ok(()) } else { Err(none_open(client)) }
    }

    /// Queues a part at once, on the thread of the client's worker and if nothing older waits. `Some(false)`: it is
    /// not UTF-8.
    #[allow(clippy::too_many_arguments)] // one call's arguments, and what was found out for it
    fn part_directly(
        &self,
        worker: usize,
        place: u32,
        packs: bool,
        data: &[u8],
        split: usize,
        last: bool,
        reserved: u32,
    ) -> Option<bool> {
        if self.is_gathering() || packs {
            return None;
        }
        let mailbox = self.shared.mailboxes.get(worker)?;
        desk::with(mailbox, |desk| {
            let mut outgoing = desk.outgoing.borrow_mut();
            if !desk.is_clear() || !outgoing.is_open(place) {
                return None;
            }
            if !outgoing.fits_text(place, [data], last) {
                return Some(false);
            }
            outgoing.push_part(place, PartOf::Payload { data, split }, last, reserved);
            if last {
                for Behind { block, class, reserved, account, .. } in outgoing.end(place) {
                    outgoing.push_block(place, &block, class, reserved, account);
                }
            }
            Some(true)
        })
        .flatten()
    }

    fn post_part(
        &mut self,
        client: ClientId,
        worker: usize,
        data: &[u8],
        split: usize,
        last: bool,
    ) -> Result<()> {
        let block = || {
            let mut frames = Vec::new();
            frame::write_part(&mut frames, data, last, split);
            Block::new(frames)
        };
        let client_id = client.0;
        if data.len() > INLINE {
            let frame = block();
            return self.tell(client, worker, |_| Command::PartShared { client: client_id, frame, last });
        }
        self.tell(client, worker, |batch| {
            if batch.is_large() {
                Command::PartShared { client: client_id, frame: block(), last }
            } else {
                Command::Part { client: client_id, frame: batch.part(data, last, split), last }
            }
        })
    }

    /// Gives up the message that is open. What has left of it can't be taken back: the client is closed.
    pub(crate) fn abort(&mut self, client: ClientId) -> Result<()> {
        let entry = self.client(client)?;
        if entry.value.is_closing() {
            return Err(gone(client));
        }
        if !entry.value.end_message(client.0) {
            return Err(none_open(client));
        }
        self.abort_open(client)
    }

    fn abort_open(&mut self, client: ClientId) -> Result<()> {
        self.close(client, 1011, reason::ABANDONED.as_bytes())
    }

    /// The application does not want the rest of a message that comes in chunks.
    pub(crate) fn discard(&mut self, client: ClientId, message: u64) -> Result<()> {
        let worker = self.client(client)?.value.worker();
        let mailbox = self.shared.mailboxes.get(worker);
        if mailbox.and_then(|mailbox| desk::with(mailbox, |desk| desk.discard(client.0, message)))
            == Some(true)
        {
            return Ok(());
        }
        self.tell(client, worker, |_| Command::Discard { client: client.0, message })
    }
}

fn opcode(binary: bool) -> Opcode {
    if binary { Opcode::Binary } else { Opcode::Text }
}

/// What may wait behind a message to this client.
fn bound(client: &Client) -> Load {
    let (bytes, messages) = client.half();
    Load { bytes: bytes as u32, messages: messages as u32 }
}

#[cold]
fn none_open(client: ClientId) -> Error {
    Error::invalid(format!("no message to client {} is open: begin one first", client.0))
}

impl<D: Deref<Target = Desk>> Worker<D> {
    pub(super) fn begin_message(&mut self, client: u64, binary: bool, compress: Compress) {
        let Some(place) = self.place_of(client) else { return };
        let Some(held) = self.held.get_mut(place as usize).filter(|held| held.connection.takes_messages())
        else {
            return;
        };
        let Some(entry) = self.shared.clients.get(client) else { return };
        let Some(endpoint) = self.shared.endpoints.get(held.connection.endpoint as usize) else { return };
        let (opcode, bound) = (opcode(binary), bound(&entry.value));
        let mut outgoing = self.desk.outgoing.borrow_mut();
        // How long it will be is not known.
        let packs = !outgoing.is_open(place) && endpoint.compression.wants(compress, binary, usize::MAX);
        let rsv1 = packs && held.connection.codec().is_some_and(Codec::begin_deflate);
        outgoing.begin(place, opcode, rsv1, bound);
    }

    /// Has a timer look after the messages that were begun.
    pub(super) fn watch_begun(&mut self) {
        let begun = self.desk.outgoing.borrow_mut().take_begun();
        for place in begun {
            let Some(held) = self.held.get_mut(place as usize) else { continue };
            let endpoint = self.shared.endpoints.get(held.connection.endpoint as usize);
            let Some(timeout) = endpoint.map(|endpoint| endpoint.stream_timeout) else { continue };
            if !timeout.is_zero() && !std::mem::replace(&mut held.is_watched, true) {
                let client = held.connection.id;
                self.watch(place, client, timeout);
            }
        }
    }

    fn watch(&mut self, place: u32, client: u64, timeout: Duration) {
        self.wheel.insert(Timer::Part, self.now.instant + timeout / LOOKS, place, client);
    }

    /// Looks at the message that is sent in parts to a client: of one that the application has forgotten, the peer
    /// would await the end for ever.
    pub(super) fn look_at_open(&mut self, place: u32, client: u64) {
        let Some(held) = self.held.get_mut(place as usize).filter(|held| held.connection.id == client) else {
            return;
        };
        held.is_watched = false;
        let endpoint = self.shared.endpoints.get(held.connection.endpoint as usize);
        let Some(timeout) = endpoint.map(|endpoint| endpoint.stream_timeout) else { return };
        let looks = self.desk.outgoing.borrow_mut().idle_looks(place);
        match looks {
            None => {}
            Some(looks) if looks > LOOKS => self.abandon(client),
            Some(_) => {
                held.is_watched = true;
                self.watch(place, client, timeout);
            }
        }
    }

    fn abandon(&mut self, client: u64) {
        self.close(client, 1011, reason::ABANDONED.as_bytes(), Cause::Application);
    }

    /// Queues a part of the message that is open, and after the last what waited behind it.
    pub(super) fn part(&mut self, client: u64, part: Outgo, last: bool) {
        let Some(place) = self.place_of(client) else { return };
        let takes = |held: &&mut Held| held.connection.takes_messages();
        let Some(held) = self.held.get_mut(place as usize).filter(takes) else { return };
        let Some(endpoint) = self.shared.endpoints.get(held.connection.endpoint as usize) else { return };
        let reserved = part.length() as u32;
        let mut outgoing = self.desk.outgoing.borrow_mut();
        let is_text = match &part {
            Outgo::Batch(span) => outgoing.batch_fits_text(place, span.start, span.end, last),
            Outgo::Shared(block) => outgoing.fits_text(place, frame::payloads(block), last),
        };
        if !is_text {
            drop(outgoing);
            tracing::warn!(client, "a text message in parts is not UTF-8: it is abandoned");
            return self.abandon(client);
        }
        match held.connection.codec() {
            Some(codec) => {
                let mut packed = deflate::lend();
                packed.clear();
                let is_packed = outgoing.is_compressed(place);
                for payload in frame::payloads(part.bytes(&outgoing)) {
                    if is_packed {
                        codec.deflate_part(payload, last, &mut packed);
                    } else {
                        packed.extend_from_slice(payload);
                    }
                }
                let part = PartOf::Payload { data: &packed, split: endpoint.frame_split };
                outgoing.push_part(place, part, last, reserved);
                deflate::give_back(packed);
            }
            None => {
                let part = match part {
                    Outgo::Batch(span) => PartOf::Batch { start: span.start, end: span.end },
                    Outgo::Shared(block) => PartOf::Block(block),
                };
                outgoing.push_part(place, part, last, reserved);
            }
        }
        if last {
            let behind = outgoing.end(place);
            drop(outgoing);
            for message in behind {
                self.let_pass(place, message);
            }
        }
    }

    /// Queues a message that waited behind one in parts.
    fn let_pass(&mut self, place: u32, Behind { block, class, reserved, account, raw }: Behind) {
        if let Some(compress) = raw {
            self.send(place, &Outgo::Shared(block), compress);
        } else {
            self.desk.outgoing.borrow_mut().push_block(place, &block, class, reserved, account);
        }
    }

    /// Lets a client's own message, which goes through its codec, wait behind the one that is open. False when
    /// none is.
    pub(super) fn wait_behind(&mut self, place: u32, message: &Outgo, compress: Compress) -> bool {
        let mut outgoing = self.desk.outgoing.borrow_mut();
        if !outgoing.is_open(place) {
            return false;
        }
        let block = match message {
            Outgo::Shared(block) => Arc::clone(block),
            Outgo::Batch(_) => Block::new(message.bytes(&outgoing).to_vec()),
        };
        let reserved = message.length() as u32;
        outgoing.defer(
            place,
            Behind { block, class: Class::Plain, reserved, account: None, raw: Some(compress) },
        );
        true
    }
}
