//! A message that a client is sent in parts: whatever else it is sent waits behind it, until it has ended.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::config::Compress;
use crate::protocol::{Opcode, Utf8Stream, frame};

use super::block::Block;
use super::outbox::{Arena, Class, Frames, Load, Outbox, Outgoing, Settled};

/// A message that has begun and not ended.
#[derive(Debug)]
pub(super) struct Open {
    opcode: Opcode,
    rsv1: bool,
    /// One of its frames was queued.
    has_begun: bool,
    text: Utf8Stream,
    /// How often in a row [`Outgoing::is_idle`] found that nothing had come of it.
    idle: u32,
    behind: VecDeque<Behind>,
    load: Load,
    /// So much of `load` the client's shared counter is told of: the rest of its room is for the message itself.
    bound: Load,
}

/// A message that waits behind an open one.
#[derive(Debug)]
pub(crate) struct Behind {
    pub(crate) block: Arc<Block>,
    pub(crate) class: Class,
    pub(crate) reserved: u32,
    pub(crate) account: Option<u32>,
    /// It goes through the client's codec when its turn has come.
    pub(crate) raw: Option<Compress>,
}

/// Where a part's frames lie.
pub(crate) enum PartOf<'a> {
    /// Nowhere yet.
    Payload { data: &'a [u8], split: usize },
    /// In the batch's arena.
    Batch { start: u32, end: u32 },
    /// In a block that nobody shares.
    Block(Arc<Block>),
}

impl Open {
    /// What of it the shared counter is told.
    pub(super) fn told(&self) -> Load {
        Load {
            bytes: self.load.bytes.min(self.bound.bytes),
            messages: self.load.messages.min(self.bound.messages),
        }
    }

    /// Who wants to know what becomes of what waits behind it.
    pub(super) fn accounts(&self) -> impl Iterator<Item = u32> {
        self.behind.iter().filter_map(|behind| behind.account)
    }

    fn push(&mut self, behind: Behind) {
        self.load.bytes += behind.block.len() as u32;
        self.load.messages += 1;
        self.behind.push_back(behind);
    }
}

impl Outgoing {
    /// Begins a message in parts; false while another is open. What waits behind it may take `bound` of the
    /// outbox.
    pub(crate) fn begin(&mut self, place: u32, opcode: Opcode, rsv1: bool, bound: Load) -> bool {
        let Some(outbox) = self.outbox(place).filter(|outbox| outbox.open.is_none()) else { return false };
        outbox.open = Some(Box::new(Open {
            opcode,
            rsv1,
            has_begun: false,
            text: Utf8Stream::default(),
            idle: 0,
            behind: VecDeque::new(),
            load: Load::default(),
            bound,
        }));
        self.begun.push(place);
        true
    }

    /// Clients to whom messages were begun since this was last asked.
    pub(crate) fn take_begun(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.begun)
    }

    pub(crate) fn is_open(&self, place: u32) -> bool {
        self.open_message(place).is_some()
    }

    /// Whether the message that is open is compressed, part by part.
    pub(crate) fn is_compressed(&self, place: u32) -> bool {
        self.open_message(place).is_some_and(|open| open.rsv1)
    }

    /// Whether the message that is open may go on, or end, with these bytes: text must stay UTF-8.
    pub(crate) fn fits_text<'a>(
        &mut self,
        place: u32,
        payloads: impl IntoIterator<Item = &'a [u8]>,
        last: bool,
    ) -> bool {
        let open = self.outbox(place).and_then(|outbox| outbox.open.as_mut());
        let Some(open) = open.filter(|open| open.opcode == Opcode::Text) else { return true };
        payloads.into_iter().all(|payload| open.text.push(payload)) && (!last || open.text.finish())
    }

    /// The same, for frames in the batch.
    pub(crate) fn batch_fits_text(&mut self, place: u32, start: u32, end: u32, last: bool) -> bool {
        let Self { outboxes, arenas, .. } = self;
        let frames = arenas.batch.get(start as usize..end as usize).unwrap_or_default();
        let open = outboxes.get_mut(place as usize).and_then(|outbox| outbox.open.as_mut());
        let Some(open) = open.filter(|open| open.opcode == Opcode::Text) else { return true };
        frame::payloads(frames).all(|payload| open.text.push(payload)) && (!last || open.text.finish())
    }

    /// Queues a part of the message that is open. After the last, [`Outgoing::end`] is to follow.
    pub(crate) fn push_part(&mut self, place: u32, part: PartOf<'_>, last: bool, reserved: u32) {
        let Some(open) = self.outbox(place).and_then(|outbox| outbox.open.as_mut()) else {
            return self.give_back(place, reserved);
        };
        open.idle = 0;
        let is_first = !std::mem::replace(&mut open.has_begun, true);
        let (opcode, rsv1) = (open.opcode, open.rsv1);
        let class = if rsv1 { Class::Own } else { Class::Plain };
        let mark = |frames: &mut [u8]| {
            if is_first {
                frame::mark_first(frames, opcode, rsv1);
            }
        };
        let (arena, start, end) = match part {
            PartOf::Payload { data, split } if self.fits_log(data.len()) => {
                let log = &mut self.arenas.log;
                let start = log.len();
                frame::write_part(log, data, last, split);
                mark(log.get_mut(start..).unwrap_or_default());
                (Arena::Log, start as u32, log.len() as u32)
            }
            PartOf::Payload { data, split } => {
                let mut frames = Vec::new();
                frame::write_part(&mut frames, data, last, split);
                mark(&mut frames);
                return self.append_block(place, Block::new(frames), class, last, reserved, None);
            }
            PartOf::Batch { start, end } => {
                mark(self.arenas.batch.get_mut(start as usize..end as usize).unwrap_or_default());
                (Arena::Batch, start, end)
            }
            PartOf::Block(mut block) => {
                if let Some(block) = Arc::get_mut(&mut block) {
                    mark(block.bytes_mut());
                }
                return self.append_block(place, block, class, last, reserved, None);
            }
        };
        let count = frame::count(self.arenas.of_arena(arena, start, end));
        self.append_run(place, Frames { arena, class, start, end, count, is_message: last }, reserved);
    }

    /// The last part was queued: takes what waited behind it, which is to be queued now.
    pub(crate) fn end(&mut self, place: u32) -> VecDeque<Behind> {
        let Some(outbox) = self.outbox(place) else { return VecDeque::new() };
        let behind = outbox.open.take().map(|open| open.behind).unwrap_or_default();
        for message in &behind {
            // It is queued as if it came now.
            outbox.counted.bytes = outbox.counted.bytes.saturating_sub(message.reserved);
            outbox.counted.messages = outbox.counted.messages.saturating_sub(u32::from(message.reserved > 0));
        }
        behind
    }

    /// Lets a block wait behind the message that is open.
    pub(crate) fn defer(&mut self, place: u32, behind: Behind) {
        let Some(outbox) = self.outbox(place) else { return };
        outbox.counted.bytes += behind.reserved;
        outbox.counted.messages += u32::from(behind.reserved > 0);
        if let Some(open) = &mut outbox.open {
            open.push(behind);
        }
        self.touch(place);
    }

    /// The same for what lies in an arena.
    #[cold]
    pub(super) fn defer_run(&mut self, place: u32, frames: Frames, reserved: u32) {
        let bytes = self.arenas.of_arena(frames.arena, frames.start, frames.end).to_vec();
        let (block, class) = (Block::new(bytes), frames.class);
        self.defer(place, Behind { block, class, reserved, account: None, raw: None });
    }

    /// The message won't be ended, and what waits behind it will not be sent.
    pub(crate) fn abandon(&mut self, place: u32) {
        let Some(open) = self.outbox(place).and_then(|outbox| outbox.open.take()) else { return };
        let lost = open.accounts().map(|account| Settled { account, place, delivered: false });
        self.settled.extend(lost);
        self.touch(place);
    }

    /// So many looks in a row, this one among them, nothing had come of the message that is open, and nothing was
    /// left to be written; `None` when none is.
    pub(crate) fn idle_looks(&mut self, place: u32) -> Option<u32> {
        let outbox = self.outbox(place)?;
        let is_writing = outbox.waiting.bytes > 0;
        let open = outbox.open.as_mut()?;
        open.idle = if is_writing { 0 } else { open.idle + 1 };
        Some(open.idle)
    }

    /// A part came when no message was open any more: its room is free again.
    fn give_back(&mut self, place: u32, reserved: u32) {
        if let Some(outbox) = self.outbox(place) {
            outbox.counted.bytes += reserved;
            outbox.counted.messages += u32::from(reserved > 0);
            self.touch(place);
        }
    }

    /// Drops the oldest message behind the open one that may be dropped.
    pub(super) fn drop_behind(&mut self, place: u32) -> bool {
        let Some(open) = self.outbox(place).and_then(|outbox| outbox.open.as_mut()) else { return false };
        let oldest = open.behind.iter().position(|behind| behind.class == Class::Droppable);
        let Some(dropped) = oldest.and_then(|at| open.behind.remove(at)) else { return false };
        open.load.bytes -= dropped.block.len() as u32;
        open.load.messages -= 1;
        let settled = dropped.account.map(|account| Settled { account, place, delivered: false });
        self.settled.extend(settled);
        true
    }

    fn open_message(&self, place: u32) -> Option<&Open> {
        self.outboxes.get(place as usize).and_then(|outbox: &Outbox| outbox.open.as_deref())
    }
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
