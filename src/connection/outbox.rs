//! What waits to be written, for all clients of one worker.
//!
//! What goes out in a turn is written once, frame after frame, into one of the worker's two arenas, and
//! a client's outbox remembers runs of bytes there. Frames that lie side by side are one run: sixteen
//! answers, or eight broadcasts to five hundred clients, leave with one `write` each and no copy of
//! their own. What the kernel does not take at once moves out of the arena before that is used again.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::sync::Arc;

use crate::protocol::{Opcode, frame};

/// Which of the worker's arenas a run lies in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Arena {
    /// What the worker writes itself: pongs, Close frames, answers from its own callbacks.
    #[default]
    Log,
    /// The frames of the command batch that is being carried out.
    Batch,
}

/// How a queued frame was encoded, so that a frame that was compressed once is known from one that was
/// compressed for its client alone, and from one that can still be compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Class {
    /// As it is: fit for everybody.
    #[default]
    Plain,
    /// By a client's own codec: fit for that client, in this place of its stream only.
    Own,
}

#[derive(Clone, Copy, Debug, Default)]
struct Run {
    start: u32,
    end: u32,
    messages: u32,
    arena: Arena,
    class: Class,
}

#[derive(Debug)]
enum Chunk {
    /// Lies in an arena; none is left when the turn ends.
    Run(Run),
    /// Part of a block that several clients wait for.
    Shared { block: Arc<Vec<u8>>, start: usize, end: usize, messages: u32, account: Option<u32> },
    /// The client's own bytes.
    Owned { bytes: Box<[u8]>, start: usize, messages: u32 },
}

impl Chunk {
    fn messages(&self) -> u32 {
        match self {
            Self::Run(run) => run.messages,
            Self::Shared { messages, .. } | Self::Owned { messages, .. } => *messages,
        }
    }

    /// Who wants to know what becomes of it.
    fn account(&self) -> Option<u32> {
        match self {
            Self::Shared { account, .. } => *account,
            _ => None,
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Run(run) => (run.end - run.start) as usize,
            Self::Shared { start, end, .. } => end - start,
            Self::Owned { bytes, start, .. } => bytes.len() - start,
        }
    }

    fn skip(&mut self, count: usize) {
        match self {
            Self::Run(run) => run.start += count as u32,
            Self::Shared { start, .. } | Self::Owned { start, .. } => *start += count,
        }
    }
}

/// How much waits: bytes on the wire and messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) bytes: u32,
    pub(crate) messages: u32,
}

/// What was ever queued for a client and written to it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) bytes: u64,
    pub(crate) frames: u64,
    pub(crate) messages: u64,
    pub(crate) last_write_ns: u64,
    pub(crate) last_message_ns: u64,
}

/// What became of a message that somebody has an account of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) account: u32,
    pub(crate) place: u32,
    /// Its last byte has left; else it never will.
    pub(crate) delivered: bool,
}

/// One client's queue. While nothing is queued it holds no memory of its own.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// The newest run; frames that lie right behind it extend it.
    run: Run,
    /// What goes out before it.
    #[expect(clippy::box_collection, reason = "8 bytes instead of 32 in every idle client")]
    older: Option<Box<VecDeque<Chunk>>>,
    /// All that waits.
    waiting: Load,
    /// The part of it that the client's shared counter knows of.
    counted: Load,
    touched: bool,
    /// The broadcast that this client is excluded from.
    pub(crate) excluded_from: u64,
    pub(crate) sent: Sent,
}

/// A worker's outboxes and the arenas they point into.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    outboxes: Vec<Outbox>,
    log: Vec<u8>,
    batch: Vec<u8>,
    /// Clients with something new to write.
    touched: Vec<u32>,
    /// What became of messages with an account since this was last taken.
    settled: Vec<Settled>,
    /// The turn's time.
    pub(crate) now_ns: u64,
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
            let lost = outbox.older.iter().flat_map(|older| older.iter()).filter_map(Chunk::account);
            self.settled.extend(lost.map(|account| Settled { account, place, delivered: false }));
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
        self.outboxes.get(place as usize).map_or(Load::default(), |outbox| Load {
            bytes: outbox.waiting.bytes.saturating_sub(outbox.counted.bytes),
            messages: outbox.waiting.messages.saturating_sub(outbox.counted.messages),
        })
    }

    pub(crate) fn sent(&self, place: u32) -> Sent {
        self.outboxes.get(place as usize).map_or(Sent::default(), |outbox| outbox.sent)
    }

    /// Whether somebody has something new to write.
    pub(crate) fn has_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    /// How many bytes the turn's own arena holds.
    pub(crate) fn log_length(&self) -> usize {
        self.log.len()
    }

    /// Writes a frame into the log and queues it.
    #[inline]
    pub(crate) fn push(&mut self, place: u32, opcode: Opcode, payload: &[u8], counted: bool) {
        if self.log.len() + payload.len() > MAX_LOG {
            let mut block = Vec::new();
            frame::write(&mut block, opcode, payload);
            self.push_block(place, &Arc::new(block), !opcode.is_control(), counted, None);
            return;
        }
        let start = self.log.len() as u32;
        frame::write(&mut self.log, opcode, payload);
        let end = self.log.len() as u32;
        self.push_run(place, Arena::Log, Class::Plain, start, end, !opcode.is_control(), counted);
    }

    /// Queues a frame that a client's own codec encoded.
    pub(crate) fn push_encoded(
        &mut self,
        place: u32,
        opcode: Opcode,
        encoded: &[u8],
        counted: bool,
        account: Option<u32>,
    ) {
        if account.is_some() || self.log.len() + encoded.len() > MAX_LOG {
            let mut block = Vec::new();
            frame::write_header(&mut block, opcode, true, encoded.len());
            block.extend_from_slice(encoded);
            self.push_block(place, &Arc::new(block), true, counted, account);
            return;
        }
        let start = self.log.len() as u32;
        frame::write_header(&mut self.log, opcode, true, encoded.len());
        self.log.extend_from_slice(encoded);
        let end = self.log.len() as u32;
        self.push_run(place, Arena::Log, Class::Own, start, end, true, counted);
    }

    /// Queues the frame that lies at `start..end` in an arena. `counted`: it was reserved in the
    /// client's shared counter when it was sent.
    #[expect(clippy::too_many_arguments, reason = "the hot path takes its words in registers")]
    #[inline]
    pub(crate) fn push_run(
        &mut self,
        place: u32,
        arena: Arena,
        class: Class,
        start: u32,
        end: u32,
        message: bool,
        counted: bool,
    ) {
        let Some(outbox) = self.outboxes.get_mut(place as usize) else { return };
        let messages = u32::from(message);
        let run = &mut outbox.run;
        if run.end == start && run.arena == arena && run.class == class && run.start != run.end {
            run.end = end;
            run.messages += messages;
        } else {
            let before = std::mem::replace(run, Run { start, end, messages, arena, class });
            if before.start != before.end {
                outbox.older.get_or_insert_default().push_back(Chunk::Run(before));
            }
        }
        outbox.queued(end - start, message, counted, self.now_ns);
        if !std::mem::replace(&mut outbox.touched, true) {
            self.touched.push(place);
        }
    }

    /// Queues a block that is a whole message and may be in many outboxes. An account is told what
    /// becomes of it: see [`Outgoing::take_settled`].
    pub(crate) fn push_shared(
        &mut self,
        place: u32,
        block: &Arc<Vec<u8>>,
        counted: bool,
        account: Option<u32>,
    ) {
        self.push_block(place, block, true, counted, account);
    }

    fn push_block(
        &mut self,
        place: u32,
        block: &Arc<Vec<u8>>,
        message: bool,
        counted: bool,
        account: Option<u32>,
    ) {
        let Some(outbox) = self.outboxes.get_mut(place as usize) else { return };
        outbox.retire_run();
        outbox.older.get_or_insert_default().push_back(Chunk::Shared {
            block: Arc::clone(block),
            start: 0,
            end: block.len(),
            messages: u32::from(message),
            account,
        });
        outbox.queued(block.len() as u32, message, counted, self.now_ns);
        if !std::mem::replace(&mut outbox.touched, true) {
            self.touched.push(place);
        }
    }

    /// Gives the frames of a command batch to its runs; [`Outgoing::end_batch`] takes them back.
    pub(crate) fn begin_batch(&mut self, bytes: Vec<u8>) {
        self.batch = bytes;
    }

    pub(crate) fn end_batch(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.batch)
    }

    /// A frame in the batch's arena.
    pub(crate) fn batch_bytes(&self, start: u32, end: u32) -> &[u8] {
        self.batch.get(start as usize..end as usize).unwrap_or_default()
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
        let Self { outboxes, log, batch, now_ns, settled, .. } = self;
        let Some(outbox) = outboxes.get_mut(place as usize) else { return Ok(()) };
        while outbox.waiting.bytes > 0 {
            let (offered, result) = match &outbox.older {
                None => {
                    let bytes = of_run(log, batch, &outbox.run);
                    (bytes.len(), stream.write(bytes))
                }
                Some(older) => {
                    let mut slices = [IoSlice::new(&[]); PIECES];
                    let mut offered = 0;
                    let mut count = 0;
                    let chunks = older.iter().map(|chunk| bytes_of(log, batch, chunk));
                    for (slice, bytes) in
                        slices.iter_mut().zip(chunks.chain([of_run(log, batch, &outbox.run)]))
                    {
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
                    outbox.written(written, *now_ns, |account| {
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
        let before = std::mem::replace(&mut outbox.counted, outbox.waiting);
        (
            i64::from(outbox.waiting.bytes) - i64::from(before.bytes),
            i64::from(outbox.waiting.messages) - i64::from(before.messages),
        )
    }

    /// Ends the use of both arenas: the runs of those in `stuck`, who could not write all, move out.
    pub(crate) fn reclaim(&mut self, stuck: &[u32]) {
        for arena in [Arena::Log, Arena::Batch] {
            let bytes = match arena {
                Arena::Log => &mut self.log,
                Arena::Batch => &mut self.batch,
            };
            if bytes.is_empty() {
                continue;
            }
            let mut block = None;
            if !stuck.is_empty() {
                let shares = |outbox: &Outbox| outbox.longest_in(arena) >= bytes.len() / SHARE;
                if stuck.iter().filter_map(|place| self.outboxes.get(*place as usize)).any(shares) {
                    block = Some(Arc::new(std::mem::take(bytes)));
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
    fn queued(&mut self, bytes: u32, message: bool, counted: bool, now_ns: u64) {
        let messages = u32::from(message);
        self.waiting.bytes += bytes;
        self.waiting.messages += messages;
        if counted {
            self.counted.bytes += bytes;
            self.counted.messages += messages;
        }
        self.sent.frames += 1;
        if message {
            self.sent.messages += 1;
            self.sent.last_message_ns = now_ns;
        }
    }

    fn retire_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        if run.start != run.end {
            self.older.get_or_insert_default().push_back(Chunk::Run(run));
        }
    }

    fn written(&mut self, mut count: usize, now_ns: u64, mut delivered: impl FnMut(u32)) {
        self.sent.bytes += count as u64;
        self.sent.last_write_ns = now_ns;
        self.waiting.bytes -= count as u32;
        if let Some(older) = &mut self.older {
            while let Some(first) = older.front_mut() {
                let length = first.length();
                if count < length {
                    first.skip(count);
                    return;
                }
                count -= length;
                self.waiting.messages -= first.messages();
                first.account().map(&mut delivered);
                older.pop_front();
            }
            self.older = None;
        }
        self.run.start += count as u32;
        if self.run.start == self.run.end {
            self.waiting.messages -= self.run.messages;
            self.run = Run::default();
        }
    }

    /// The longest run that lies in an arena.
    fn longest_in(&self, arena: Arena) -> usize {
        let older = self.older.iter().flat_map(|older| older.iter()).filter_map(|chunk| match chunk {
            Chunk::Run(run) => Some(run),
            _ => None,
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
    fn move_out(&mut self, arena: Arena, bytes: &[u8], block: Option<&Arc<Vec<u8>>>) {
        if self.run.arena == arena {
            self.retire_run();
        }
        for chunk in self.older.iter_mut().flat_map(|older| older.iter_mut()) {
            let Chunk::Run(run) = chunk else { continue };
            if run.arena != arena {
                continue;
            }
            let (start, end, messages) = (run.start as usize, run.end as usize, run.messages);
            let all = block.map_or(bytes, |block| block.as_slice());
            *chunk = match block {
                Some(block) if end - start >= all.len() / SHARE => {
                    Chunk::Shared { block: Arc::clone(block), start, end, messages, account: None }
                }
                _ => {
                    Chunk::Owned { bytes: all.get(start..end).unwrap_or_default().into(), start: 0, messages }
                }
            };
        }
    }
}

fn of_run<'a>(log: &'a [u8], batch: &'a [u8], run: &Run) -> &'a [u8] {
    let arena = match run.arena {
        Arena::Log => log,
        Arena::Batch => batch,
    };
    arena.get(run.start as usize..run.end as usize).unwrap_or_default()
}

fn bytes_of<'a>(log: &'a [u8], batch: &'a [u8], chunk: &'a Chunk) -> &'a [u8] {
    match chunk {
        Chunk::Run(run) => of_run(log, batch, run),
        Chunk::Shared { block, start, end, .. } => block.get(*start..*end).unwrap_or_default(),
        Chunk::Owned { bytes, start, .. } => bytes.get(*start..).unwrap_or_default(),
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
