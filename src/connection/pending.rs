//! What waits for one client, piece by piece, and where in it a frame or a message has begun.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::protocol::frame;

use super::block::Block;

/// Which of the worker's arenas a run lies in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Arena {
    /// What the worker writes itself: pongs, Close frames, answers from its own callbacks.
    #[default]
    Log,
    /// The frames of the command batch that is being carried out.
    Batch,
}

/// How a queued frame was encoded and may be treated, so that only frames of a kind become one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Class {
    /// As it is: fit for everybody.
    #[default]
    Plain,
    /// The same, and a message that may make room for a later one.
    Droppable,
    /// By a client's own codec: fit for that client, in this place of its stream only.
    Own,
}

/// The worker's arenas: frames lie here for a turn.
#[derive(Debug, Default)]
pub(super) struct Arenas {
    pub(super) log: Vec<u8>,
    pub(super) batch: Vec<u8>,
}

/// Frames side by side in an arena.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) messages: u32,
    pub(super) arena: Arena,
    pub(super) class: Class,
}

/// Part of a block, which may be many clients'.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) block: Arc<Block>,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) messages: u32,
    pub(super) class: Class,
    /// Control frames that went ahead of the messages that waited.
    pub(super) is_urgent: bool,
    /// Who wants to know what becomes of the message that ends here.
    pub(super) account: Option<u32>,
}

#[derive(Debug)]
pub(super) enum Chunk {
    /// Lies in an arena; none is left when the turn ends.
    Run(Run),
    Piece(Piece),
}

impl Arenas {
    pub(super) fn of_run(&self, run: &Run) -> &[u8] {
        self.of_arena(run.arena, run.start, run.end)
    }

    pub(super) fn of_arena(&self, arena: Arena, start: u32, end: u32) -> &[u8] {
        let arena = match arena {
            Arena::Log => &self.log,
            Arena::Batch => &self.batch,
        };
        arena.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(super) fn of_chunk<'a>(&'a self, chunk: &'a Chunk) -> &'a [u8] {
        match chunk {
            Chunk::Run(run) => self.of_run(run),
            Chunk::Piece(piece) => {
                piece.block.get(piece.start as usize..piece.end as usize).unwrap_or_default()
            }
        }
    }
}

impl Chunk {
    pub(super) fn messages(&self) -> u32 {
        match self {
            Self::Run(run) => run.messages,
            Self::Piece(piece) => piece.messages,
        }
    }

    pub(super) fn account(&self) -> Option<u32> {
        match self {
            Self::Run(_) => None,
            Self::Piece(piece) => piece.account,
        }
    }

    pub(super) fn length(&self) -> usize {
        match self {
            Self::Run(Run { start, end, .. }) | Self::Piece(Piece { start, end, .. }) => {
                (end - start) as usize
            }
        }
    }

    /// Takes the first bytes off, and the messages that end in them.
    pub(super) fn skip(&mut self, count: usize, ended: u32) {
        let (Self::Run(Run { start, messages, .. }) | Self::Piece(Piece { start, messages, .. })) = self;
        *start += count as u32;
        *messages -= ended;
    }

    fn is_urgent(&self) -> bool {
        matches!(self, Self::Piece(piece) if piece.is_urgent)
    }

    fn is_droppable(&self) -> bool {
        let (Self::Run(Run { class, .. }) | Self::Piece(Piece { class, .. })) = self;
        *class == Class::Droppable
    }

    /// Takes the first `at` bytes, with so many messages if there are, off into a chunk of their own.
    fn split_front(&mut self, at: usize, messages: u32) -> Self {
        let (at, messages) = (at as u32, messages.min(self.messages()));
        match self {
            Self::Run(run) => {
                let front = Run { end: run.start + at, messages, ..*run };
                run.start += at;
                run.messages -= messages;
                Self::Run(front)
            }
            Self::Piece(piece) => {
                let front = Piece { end: piece.start + at, messages, account: None, ..piece.clone() };
                piece.start += at;
                piece.messages -= messages;
                Self::Piece(front)
            }
        }
    }
}

/// The part of a client's queue that is older than its newest run.
#[derive(Debug, Default)]
pub(super) struct Older {
    pub(super) chunks: VecDeque<Chunk>,
    /// So many bytes are left of a frame whose first bytes have left.
    begun: usize,
    /// It is a control frame.
    is_control: bool,
    /// When that frame has left, its message goes on: only control frames may come between.
    open: bool,
}

impl Older {
    /// Whether nothing of it needs to be remembered.
    pub(super) fn is_over(&self) -> bool {
        self.chunks.is_empty() && !self.is_under_way()
    }

    /// Whether a part of a message has left. Where nothing is, what leaves whole need not be looked at:
    /// every chunk ends with a message, but for those that an urgent frame has parted.
    pub(super) fn is_under_way(&self) -> bool {
        self.begun > 0 || self.open
    }

    /// Notes that `count` bytes of the queue, which ends with `run`, are about to leave, and tells how many
    /// messages end in them, in the last chunk that they are of.
    pub(super) fn pass(&mut self, arenas: &Arenas, run: &Run, mut count: usize) -> u32 {
        let mut messages = 0;
        let chunks = self.chunks.iter().map(|chunk| arenas.of_chunk(chunk));
        for mut bytes in chunks.chain([arenas.of_run(run)]) {
            if count == 0 {
                break;
            }
            messages = 0;
            while count > 0 && !bytes.is_empty() {
                if self.begun == 0
                    && let Some(next) = frame::measure(bytes)
                {
                    self.begun = next.length;
                    self.is_control = next.is_control;
                    self.open = if next.is_control { self.open } else { !next.fin };
                }
                let step = self.begun.min(count).min(bytes.len());
                if step == 0 {
                    return messages;
                }
                self.begun -= step;
                messages += u32::from(self.begun == 0 && !self.is_control && !self.open);
                count -= step;
                bytes = bytes.get(step..).unwrap_or_default();
            }
        }
        messages
    }

    /// Whether what is queued waits since an earlier turn.
    pub(super) fn is_stuck(&self) -> bool {
        matches!(self.chunks.front(), Some(Chunk::Piece(_)))
    }

    /// Queues a control frame ahead of all messages, but for the frame that has begun.
    pub(super) fn push_urgent(&mut self, frame: Vec<u8>) {
        let mut at = 0;
        if self.begun > 0 {
            at = 1;
            if let Some(front) = self.chunks.front_mut().filter(|front| front.length() > self.begun) {
                let begun = front.split_front(self.begun, u32::from(!self.is_control && !self.open));
                self.chunks.push_front(begun);
            }
        }
        while self.chunks.get(at).is_some_and(Chunk::is_urgent) {
            at += 1;
        }
        let end = frame.len() as u32;
        let block = Block::new(frame);
        let class = Class::Plain;
        let piece = Piece { block, start: 0, end, messages: 0, class, is_urgent: true, account: None };
        self.chunks.insert(at.min(self.chunks.len()), Chunk::Piece(piece));
    }

    /// Drops the oldest message that may be and that has not begun to leave; says how long it was, and who
    /// wants to know.
    pub(super) fn drop_oldest(&mut self, arenas: &Arenas) -> Option<(usize, Option<u32>)> {
        let (mut begun, mut open) = (self.begun, self.open);
        for index in 0..self.chunks.len() {
            let chunk = self.chunks.get_mut(index)?;
            let bytes = arenas.of_chunk(chunk);
            let mut at = std::mem::take(&mut begun);
            if chunk.is_urgent() {
                continue;
            }
            while open && let Some(fragment) = bytes.get(at..).and_then(frame::measure) {
                at += fragment.length;
                open = if fragment.is_control { open } else { !fragment.fin };
            }
            if !chunk.is_droppable() || at >= bytes.len() {
                continue;
            }
            let length = message_length(bytes.get(at..)?)?;
            if at > 0 {
                let begun = chunk.split_front(at, 1);
                chunk.split_front(length, 1);
                self.chunks.insert(index, begun);
                self.remove_if_empty(index + 1);
                return Some((length, None));
            }
            chunk.split_front(length, 1);
            return Some((length, self.remove_if_empty(index)));
        }
        None
    }

    fn remove_if_empty(&mut self, index: usize) -> Option<u32> {
        let is_empty = self.chunks.get(index).is_some_and(|chunk| chunk.length() == 0);
        is_empty.then(|| self.chunks.remove(index)).flatten().and_then(|chunk| chunk.account())
    }

    /// Drops everything but what is left of the frame that has begun, which is returned: its bytes, and who
    /// wants to know about its message, if it ends there.
    pub(super) fn keep_begun(&mut self, arenas: &Arenas) -> (Vec<u8>, Option<u32>) {
        let Some(front) = self.chunks.pop_front().filter(|_| self.begun > 0) else {
            self.chunks.clear();
            return (Vec::new(), None);
        };
        let begun = arenas.of_chunk(&front).get(..self.begun).unwrap_or_default().to_vec();
        let account = front.account().filter(|_| begun.len() == front.length());
        self.chunks.clear();
        (begun, account)
    }
}

/// How long the message is that `bytes` begin with.
fn message_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let frame = frame::measure(bytes.get(at..)?)?;
        at += frame.length;
        if frame.fin {
            return Some(at);
        }
    }
}
