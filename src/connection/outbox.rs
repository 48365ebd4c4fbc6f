//! What waits to be written, for all clients of one worker.
//!
//! What goes out in a turn is written once, frame after frame, into one of the worker's two arenas, and
//! a client's outbox remembers runs of bytes there. Frames that lie side by side are one run: sixteen
//! answers, or eight broadcasts to five hundred clients, leave with one `write` each and no copy of
//! their own. What the kernel does not take at once moves out of the arena before that is used again.

use std::io::{self, IoSlice, Write};
use std::sync::Arc;

use crate::protocol::{Opcode, frame};

use super::block::Block;
use super::open::{Behind, Open};
pub(crate) use super::pending::{Arena, Class};
use super::pending::{Arenas, Chunk, Older, Piece, Run};

/// How much waits: bytes on the wire and messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) bytes: u32,
    pub(crate) messages: u32,
}

/// What was queued for a client and written to it since this was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) bytes: u64,
    pub(crate) frames: u32,
    pub(crate) messages: u32,
}

/// What became of a message that somebody has an account of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) account: u32,
    pub(crate) place: u32,
    /// Its last byte has left; else it never will.
    pub(crate) delivered: bool,
}

/// A message's frames, or a control frame, in an arena.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frames {
    pub(crate) arena: Arena,
    pub(crate) class: Class,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) count: u32,
    pub(crate) is_message: bool,
}

/// One client's queue. While nothing is queued it holds no memory of its own.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// The newest run; frames that lie right behind it extend it.
    run: Run,
    /// What goes out before it.
    older: Option<Box<Older>>,
    /// A message that is sent in parts, and what waits behind it.
    pub(super) open: Option<Box<Open>>,
    /// All that waits to be written.
    pub(super) waiting: Load,
    /// The part of it, and of what waits behind an open message, that the client's shared counter knows of.
    pub(super) counted: Load,
    touched: bool,
    /// The broadcast that this client is excluded from.
    pub(crate) excluded_from: u64,
    sent: Sent,
}

/// A worker's outboxes and the arenas they point into.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pub(super) outboxes: Vec<Outbox>,
    pub(super) arenas: Arenas,
    /// Clients with something new to write.
    touched: Vec<u32>,
    /// What became of messages with an account since this was last taken.
    pub(super) settled: Vec<Settled>,
    /// Clients to whom messages in parts were begun, since this was last taken.
    pub(super) begun: Vec<u32>,
}

/// A leftover shares its arena's memory if it is at least this part of it; a smaller one is copied, so
/// that a few bytes can't keep a large block alive.
const SHARE: usize = 4;
/// How many pieces one `writev` takes.
const PIECES: usize = 64;
/// What the log holds at most: runs name their bytes by 32 bits, and large frames are better left where
/// they are. A frame beyond it is a block of its own.
const MAX_LOG: usize = 4 << 20;
/// An arena that grew past this is not kept.
const KEEP: usize = 1 << 20;

impl Outgoing {
    /// Makes room for a client at this place.
    pub(crate) fn open(&mut self, place: u32) {
        let place = place as usize;
        if place >= self.outboxes.len() {
            self.outboxes.resize_with(place + 1, Outbox::default);
        } else if let Some(outbox) = self.outboxes.get_mut(place) {
            *outbox = Outbox::default();
        }
    }

    /// Drops whatever waits for a client.
    pub(crate) fn clear(&mut self, place: u32) {
        if let Some(outbox) = self.outboxes.get_mut(place as usize) {
            self.settled.extend(outbox.accounts().map(|account| Settled {
                account,
                place,
                delivered: false,
            }));
            // `touched` stays: the place may still be in the list.
            *outbox = Outbox { touched: outbox.touched, sent: outbox.sent, ..Outbox::default() };
        }
    }

    pub(crate) fn outbox(&mut self, place: u32) -> Option<&mut Outbox> {
        self.outboxes.get_mut(place as usize)
    }

    pub(crate) fn waiting(&self, place: u32) -> Load {
        self.outboxes.get(place as usize).map_or(Load::default(), |outbox| outbox.waiting)
    }

    /// What waits here and the shared counter does not know of yet.
    pub(crate) fn uncounted(&self, place: u32) -> Load {
        self.outboxes.get(place as usize).map_or(Load::default(), |outbox| {
            let all = outbox.all();
            Load {
                bytes: all.bytes.saturating_sub(outbox.counted.bytes),
                messages: all.messages.saturating_sub(outbox.counted.messages),
            }
        })
    }

    /// What was sent since this was last asked.
    pub(crate) fn take_sent(&mut self, place: u32) -> Sent {
        self.outboxes
            .get_mut(place as usize)
            .map_or(Sent::default(), |outbox| std::mem::take(&mut outbox.sent))
    }

    /// Whether somebody has something new to write, or was begun a message to.
    pub(crate) fn has_touched(&self) -> bool {
        !self.touched.is_empty() || !self.begun.is_empty()
    }

    /// How many bytes the turn's own arena holds.
    pub(crate) fn log_length(&self) -> usize {
        self.arenas.log.len()
    }

    /// Writes a message into the log, in frames of at most `split` bytes, and queues it. `reserved`: so many
    /// of its bytes are in the client's shared counter since it was sent.
    #[inline]
    pub(crate) fn push(&mut self, place: u32, opcode: Opcode, payload: &[u8], split: usize, reserved: u32) {
        if !self.fits_log(payload.len()) {
            let mut block = Vec::new();
            frame::write_message(&mut block, opcode, false, payload, split);
            self.push_block(place, &Block::new(block), Class::Plain, reserved, None);
            return;
        }
        let start = self.arenas.log.len() as u32;
        frame::write_message(&mut self.arenas.log, opcode, false, payload, split);
        let end = self.arenas.log.len() as u32;
        let count = if payload.len() <= split { 1 } else { payload.len().div_ceil(split) as u32 };
        let frames = Frames { arena: Arena::Log, class: Class::Plain, start, end, count, is_message: true };
        self.push_run(place, frames, reserved);
    }

    /// Queues a control frame. A ping or pong goes ahead of the messages that wait since an earlier turn: a
    /// peer that reads slowly would answer too late. A Close frame stays behind what was sent before it.
    pub(crate) fn push_control(&mut self, place: u32, opcode: Opcode, payload: &[u8]) {
        if opcode != Opcode::Close
            && let Some(outbox) = self.outboxes.get_mut(place as usize)
            && let Some(older) = outbox.older.as_mut().filter(|older| older.is_stuck())
        {
            let mut frame = Vec::new();
            frame::write(&mut frame, opcode, payload);
            let length = frame.len() as u32;
            older.push_urgent(frame);
            outbox.queued(length, 1, false, 0);
            self.touch(place);
            return;
        }
        let start = self.arenas.log.len() as u32;
        frame::write(&mut self.arenas.log, opcode, payload);
        let end = self.arenas.log.len() as u32;
        let class = Class::Plain;
        self.push_run(place, Frames { arena: Arena::Log, class, start, end, count: 1, is_message: false }, 0);
    }

    /// Queues a message that was made for this client alone, in frames of at most `split` bytes.
    pub(crate) fn push_own(
        &mut self,
        place: u32,
        opcode: Opcode,
        rsv1: bool,
        payload: &[u8],
        split: usize,
        reserved: u32,
    ) {
        let class = if rsv1 { Class::Own } else { Class::Plain };
        if !self.fits_log(payload.len()) {
            let mut block = Vec::new();
            frame::write_message(&mut block, opcode, rsv1, payload, split);
            self.push_block(place, &Block::new(block), class, reserved, None);
            return;
        }
        let start = self.arenas.log.len() as u32;
        frame::write_message(&mut self.arenas.log, opcode, rsv1, payload, split);
        let end = self.arenas.log.len() as u32;
        let count = payload.len().div_ceil(split.max(1)).max(1) as u32;
        let frames = Frames { arena: Arena::Log, class, start, end, count, is_message: true };
        self.push_run(place, frames, reserved);
    }

    #[inline]
    pub(super) fn fits_log(&self, length: usize) -> bool {
        self.arenas.log.len() + length <= MAX_LOG
    }

    /// Queues what lies in an arena: a message behind the one that is open, if one is.
    #[inline]
    pub(crate) fn push_run(&mut self, place: u32, frames: Frames, reserved: u32) {
        let is_behind = frames.is_message
            && self.outboxes.get(place as usize).is_some_and(|outbox| outbox.open.is_some());
        if is_behind {
            self.defer_run(place, frames, reserved)
        } else {
            self.append_run(place, frames, reserved)
        }
    }

    #[inline]
    pub(super) fn append_run(&mut self, place: u32, frames: Frames, reserved: u32) {
        let Some(outbox) = self.outboxes.get_mut(place as usize) else { return };
        let Frames { arena, class, start, end, count, is_message } = frames;
        let messages = u32::from(is_message);
        let run = &mut outbox.run;
        if run.end == start && run.arena == arena && run.class == class && run.start != run.end {
            run.end = end;
            run.messages += messages;
        } else {
            let before = std::mem::replace(run, Run { start, end, messages, arena, class });
            if before.start != before.end {
                outbox.older.get_or_insert_default().chunks.push_back(Chunk::Run(before));
            }
        }
        outbox.queued(end - start, count, is_message, reserved);
        self.touch(place);
    }

    /// Queues a block that is a whole message and may be in many outboxes. An account is told what becomes of
    /// it: see [`Outgoing::take_settled`].
    pub(crate) fn push_block(
        &mut self,
        place: u32,
        block: &Arc<Block>,
        class: Class,
        reserved: u32,
        account: Option<u32>,
    ) {
        let block = Arc::clone(block);
        if self.is_open(place) {
            self.defer(place, Behind { block, class, reserved, account, raw: None });
        } else {
            self.append_block(place, block, class, true, reserved, account);
        }
    }

    /// Queues a block that a message ends with, or (`ends` is false) that is a part of the open one.
    pub(super) fn append_block(
        &mut self,
        place: u32,
        block: Arc<Block>,
        class: Class,
        ends: bool,
        reserved: u32,
        account: Option<u32>,
    ) {
        let Some(outbox) = self.outboxes.get_mut(place as usize) else { return };
        outbox.retire_run();
        let (end, count) = (block.len() as u32, frame::count(&block));
        let messages = u32::from(ends);
        outbox.older.get_or_insert_default().chunks.push_back(Chunk::Piece(Piece {
            block,
            start: 0,
            end,
            messages,
            class,
            is_urgent: false,
            account,
        }));
        outbox.queued(end, count, ends, reserved);
        self.touch(place);
    }

    #[inline]
    pub(super) fn touch(&mut self, place: u32) {
        if let Some(outbox) = self.outboxes.get_mut(place as usize)
            && !std::mem::replace(&mut outbox.touched, true)
        {
            self.touched.push(place);
        }
    }

    /// Drops the oldest message that may be and has not begun to leave. False when there is none.
    pub(crate) fn drop_oldest(&mut self, place: u32) -> bool {
        let Some(outbox) = self.outboxes.get_mut(place as usize) else { return false };
        outbox.retire_run();
        let Some(older) = &mut outbox.older else { return self.drop_behind(place) };
        let Some((length, account)) = older.drop_oldest(&self.arenas) else {
            return self.drop_behind(place);
        };
        self.settled.extend(account.map(|account| Settled { account, place, delivered: false }));
        outbox.waiting.bytes -= length as u32;
        outbox.waiting.messages -= 1;
        true
    }

    /// Drops all that waits but what is left of the frame that has begun to leave, if that is at most
    /// `most` bytes: true then, and a Close frame may follow.
    pub(crate) fn keep_begun(&mut self, place: u32, most: usize) -> bool {
        self.abandon(place);
        let Some(outbox) = self.outboxes.get_mut(place as usize) else { return false };
        outbox.retire_run();
        let mut lost: Vec<u32> = outbox.accounts().collect();
        let begun = outbox.older.as_mut().map(|older| older.keep_begun(&self.arenas));
        let (begun, account) = begun.unwrap_or_default();
        let length = begun.len() as u32;
        outbox.waiting = Load { bytes: length, messages: 0 };
        if length > 0
            && let Some(older) = &mut outbox.older
        {
            lost.retain(|lost| Some(*lost) != account);
            let (block, class) = (Block::new(begun), Class::Plain);
            let piece = Piece { block, start: 0, end: length, messages: 0, class, is_urgent: false, account };
            older.chunks.push_back(Chunk::Piece(piece));
        }
        self.settled.extend(lost.into_iter().map(|account| Settled { account, place, delivered: false }));
        length as usize <= most
    }

    /// Gives the frames of a command batch to its runs; [`Outgoing::end_batch`] takes them back.
    pub(crate) fn begin_batch(&mut self, bytes: Vec<u8>) {
        self.arenas.batch = bytes;
    }

    pub(crate) fn end_batch(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.arenas.batch)
    }

    /// A frame in the batch's arena.
    pub(crate) fn batch_bytes(&self, start: u32, end: u32) -> &[u8] {
        self.arenas.batch.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The clients that have something new to write; each is then written by [`Outgoing::write`].
    pub(crate) fn take_touched(&mut self, into: &mut Vec<u32>) {
        into.clear();
        std::mem::swap(&mut self.touched, into);
        for place in into {
            if let Some(outbox) = self.outboxes.get_mut(*place as usize) {
                outbox.touched = false;
            }
        }
    }

    /// Writes as much of a client's queue as `stream` takes. An error is the stream's end.
    pub(crate) fn write(&mut self, place: u32, stream: &mut impl Write) -> io::Result<()> {
        let Self { outboxes, arenas, settled, .. } = self;
        let Some(outbox) = outboxes.get_mut(place as usize) else { return Ok(()) };
        while outbox.waiting.bytes > 0 {
            let (offered, result) = match &outbox.older {
                None => {
                    let bytes = arenas.of_run(&outbox.run);
                    (bytes.len(), stream.write(bytes))
                }
                Some(older) => {
                    let mut slices = [IoSlice::new(&[]); PIECES];
                    let mut offered = 0;
                    let mut count = 0;
                    let chunks = older.chunks.iter().map(|chunk| arenas.of_chunk(chunk));
                    for (slice, bytes) in slices.iter_mut().zip(chunks.chain([arenas.of_run(&outbox.run)])) {
                        *slice = IoSlice::new(bytes);
                        offered += bytes.len();
                        count += 1;
                    }
                    (offered, stream.write_vectored(slices.get(..count).unwrap_or_default()))
                }
            };
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    let mut ended = 0;
                    if written < offered || outbox.older.as_ref().is_some_and(|older| older.is_under_way()) {
                        ended = outbox.older.get_or_insert_default().pass(arenas, &outbox.run, written);
                    }
                    outbox.written(written, ended, |account| {
                        settled.push(Settled { account, place, delivered: true });
                    });
                    // Edge-triggered: a short write tells us when there is room again.
                    if written < offered {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes what became of messages with an account.
    pub(crate) fn take_settled(&mut self) -> Vec<Settled> {
        std::mem::take(&mut self.settled)
    }

    #[inline]
    pub(crate) fn has_settled(&self) -> bool {
        !self.settled.is_empty()
    }

    /// How far the shared counter of a client is off, as bytes and messages to add, and takes it for
    /// mended.
    pub(crate) fn settle(&mut self, place: u32) -> (i64, i64) {
        let Some(outbox) = self.outboxes.get_mut(place as usize) else { return (0, 0) };
        let all = outbox.all();
        let before = std::mem::replace(&mut outbox.counted, all);
        (i64::from(all.bytes) - i64::from(before.bytes), i64::from(all.messages) - i64::from(before.messages))
    }

    /// Ends the use of both arenas: the runs of those in `stuck`, who could not write all, move out.
    pub(crate) fn reclaim(&mut self, stuck: &[u32]) {
        for arena in [Arena::Log, Arena::Batch] {
            let bytes = match arena {
                Arena::Log => &mut self.arenas.log,
                Arena::Batch => &mut self.arenas.batch,
            };
            if bytes.is_empty() {
                continue;
            }
            let mut block = None;
            if !stuck.is_empty() {
                let shares = |outbox: &Outbox| outbox.longest_in(arena) >= bytes.len() / SHARE;
                if stuck.iter().filter_map(|place| self.outboxes.get(*place as usize)).any(shares) {
                    block = Some(Block::new(std::mem::take(bytes)));
                }
                for place in stuck {
                    if let Some(outbox) = self.outboxes.get_mut(*place as usize) {
                        outbox.move_out(arena, bytes, block.as_ref());
                    }
                }
            }
            bytes.clear();
            if bytes.capacity() > KEEP {
                *bytes = Vec::new();
            }
        }
    }
}

impl Outbox {
    #[inline]
    fn queued(&mut self, bytes: u32, frames: u32, is_message: bool, reserved: u32) {
        let messages = u32::from(is_message);
        self.waiting.bytes += bytes;
        self.waiting.messages += messages;
        self.counted.bytes += reserved;
        self.counted.messages += u32::from(reserved > 0);
        self.sent.frames += frames;
        self.sent.messages += messages;
    }

    /// What the client's shared counter is to know of.
    #[inline]
    fn all(&self) -> Load {
        let Some(open) = &self.open else { return self.waiting };
        let behind = open.told();
        Load { bytes: self.waiting.bytes + behind.bytes, messages: self.waiting.messages + behind.messages }
    }

    /// Who wants to know what becomes of what waits.
    fn accounts(&self) -> impl Iterator<Item = u32> {
        let behind = self.open.iter().flat_map(|open| open.accounts());
        self.older.iter().flat_map(|older| older.chunks.iter()).filter_map(Chunk::account).chain(behind)
    }

    fn retire_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        if run.start != run.end {
            self.older.get_or_insert_default().chunks.push_back(Chunk::Run(run));
        }
    }

    /// So many bytes have left; `ended` messages with them, of the chunk that is left in part.
    fn written(&mut self, mut count: usize, ended: u32, mut delivered: impl FnMut(u32)) {
        self.sent.bytes += count as u64;
        self.waiting.bytes -= count as u32;
        if let Some(older) = &mut self.older {
            while let Some(first) = older.chunks.front_mut() {
                let length = first.length();
                if count < length {
                    if count > 0 {
                        first.skip(count, ended);
                        self.waiting.messages -= ended;
                    }
                    return;
                }
                count -= length;
                self.waiting.messages -= first.messages();
                first.account().map(&mut delivered);
                older.chunks.pop_front();
            }
        }
        self.run.start += count as u32;
        if self.run.start == self.run.end {
            self.waiting.messages -= self.run.messages;
            self.run = Run::default();
        } else if count > 0 {
            self.waiting.messages -= ended;
            self.run.messages -= ended;
        }
        if self.older.as_ref().is_some_and(|older| older.is_over()) {
            self.older = None;
        }
    }

    /// The longest run that lies in an arena.
    fn longest_in(&self, arena: Arena) -> usize {
        let older = self.older.iter().flat_map(|older| older.chunks.iter()).filter_map(|chunk| match chunk {
            Chunk::Run(run) => Some(run),
            Chunk::Piece(_) => None,
        });
        older
            .chain([&self.run])
            .filter(|run| run.arena == arena)
            .map(|run| (run.end - run.start) as usize)
            .max()
            .unwrap_or(0)
    }

    /// Moves the runs of one arena to where they can stay: a part of `block`, when that is the
    /// arena's memory and the run is a fair part of it, or bytes of their own.
    fn move_out(&mut self, arena: Arena, bytes: &[u8], block: Option<&Arc<Block>>) {
        if self.run.arena == arena {
            self.retire_run();
        }
        for chunk in self.older.iter_mut().flat_map(|older| older.chunks.iter_mut()) {
            let Chunk::Run(run) = chunk else { continue };
            let Run { start, end, messages, class, .. } = *run;
            if run.arena != arena {
                continue;
            }
            let all = block.map_or(bytes, |block| block);
            *chunk = Chunk::Piece(match block {
                Some(block) if (end - start) as usize >= all.len() / SHARE => Piece {
                    block: Arc::clone(block),
                    start,
                    end,
                    messages,
                    class,
                    is_urgent: false,
                    account: None,
                },
                _ => {
                    let own = all.get(start as usize..end as usize).unwrap_or_default().to_vec();
                    Piece {
                        block: Block::new(own),
                        start: 0,
                        end: end - start,
                        messages,
                        class,
                        is_urgent: false,
                        account: None,
                    }
                }
            });
        }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
