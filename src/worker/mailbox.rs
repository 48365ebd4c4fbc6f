//! How other threads tell a worker what to do: one queue, first in, first out.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::admission::Permit;
use crate::config::Compress;
use crate::connection::block::Block;
use crate::error::{Error, ErrorKind, Result};
use crate::gateway::outcome::Part;
use crate::protocol::{Opcode, frame};
use crate::socket::Socket;
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::sync::{Mutex, Waker};

use super::drain::Spread;

/// A socket that has become a client.
#[derive(Debug)]
pub(crate) struct Adopt {
    pub(crate) id: u64,
    pub(crate) arrival: Arrival,
    pub(crate) endpoint: u32,
    /// ACCEPT's data; `None` for a client that is expected.
    pub(crate) request: Option<Vec<u8>>,
}

/// What comes with a client.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) socket: Socket,
    /// What the client sent behind its request.
    pub(crate) early: Bytes,
    /// It is a connection until the socket is let go.
    pub(crate) permit: Option<Permit>,
}

/// A client whose socket will come.
#[derive(Debug)]
pub(crate) struct Expect {
    pub(crate) id: u64,
    pub(crate) endpoint: u32,
    /// Its messages come in chunks, whatever its endpoint says.
    pub(crate) streams: bool,
    /// ACCEPT's data.
    pub(crate) request: Box<[u8]>,
}

/// A broadcast or multicast, and this worker's part of its outcome.
#[derive(Debug)]
pub(crate) struct Accounted {
    pub(crate) part: Part,
    pub(crate) command: Command,
}

/// A piece of a batch's bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What a worker can be told. Ids are checked when it is carried out: they may have become stale.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send the frame in the span, which is reserved already.
    Send { client: u64, frame: Span, compress: Compress },
    /// The same with a frame too large to be copied again.
    SendShared { client: u64, frame: Arc<Block>, compress: Compress },
    /// Begin a message that is sent in parts.
    Begin { client: u64, binary: bool, compress: Compress },
    /// Send the frames in the span, which are reserved already, as the next or the last part of it.
    Part { client: u64, frame: Span, last: bool },
    /// The same with frames too large to be copied again.
    PartShared { client: u64, frame: Arc<Block>, last: bool },
    /// The application does not want the rest of a message that comes in chunks.
    Discard { client: u64, message: u64 },
    /// Send the frame in the span to a gateway's members, but not to the ids in the other.
    Broadcast { gateway: u64, frame: Span, except: Span, compress: Compress },
    /// The same with a frame that all workers share.
    BroadcastShared { gateway: u64, frame: Arc<Block>, except: Span, compress: Compress },
    /// Send the frame in the span to those members of a gateway whose ids are in the other.
    Multicast { gateway: u64, frame: Span, to: Span, compress: Compress },
    /// The same with a frame that all workers share.
    MulticastShared { gateway: u64, frame: Arc<Block>, to: Span, compress: Compress },
    /// One of these four, whose caller asked for the outcome.
    Accounted(Box<Accounted>),
    /// Ping with a ticket.
    Ping { client: u64, ticket: u64 },
    /// Begin the closing handshake; the reason is in the span.
    Close { client: u64, code: u16, reason: Span },
    /// The application has dealt with so much of what a client said.
    Grant { client: u64, bytes: u64, messages: u32 },
    /// A client is not paused any more.
    Resume { client: u64 },
    /// A client's queue is the largest while all together are over their budget.
    Evict { client: u64 },
    /// A client joins a gateway.
    Join { gateway: u64, client: u64 },
    /// A client leaves a gateway.
    Leave { gateway: u64, client: u64 },
    /// A gateway is gone.
    Retire { gateway: u64 },
    /// The application has accepted a handshake: its socket will come, or it is lost.
    Expect(Box<Expect>),
    /// A new client.
    Adopt(Box<Adopt>),
    /// Close everybody over a time, and cut who is left at the deadline.
    Drain { spread: Box<Spread>, deadline: Instant },
    /// A client that is expected won't come.
    Lose { client: u64 },
    /// Close everybody, and cut who is left at this time. With `last`, no more clients will come: end when
    /// they are gone.
    Stop { deadline: Instant, last: bool },
}

/// Commands, and the bytes and ids that they refer to.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) commands: Vec<Command>,
    /// Frames as they go out, and reasons. Outboxes point into this while the batch is carried out.
    pub(crate) bytes: Vec<u8>,
    pub(crate) ids: Vec<u64>,
    /// What its commands have reserved in the mailbox: see [`Mailbox::reserve`].
    pub(crate) reserved: u64,
    /// How many clients they reach, about.
    pub(crate) reach: usize,
}

/// A frame over this many bytes is a block of its own, which is not copied again.
pub(crate) const INLINE: usize = 64 << 10;
/// A batch whose vectors grew past this is not kept for reuse.
const KEEP: usize = 1 << 20;

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Appends a message, in frames of at most `split` bytes.
    #[inline]
    pub(crate) fn frame(&mut self, opcode: Opcode, payload: &[u8], split: usize) -> Span {
        let start = self.bytes.len() as u32;
        frame::write_message(&mut self.bytes, opcode, false, payload, split);
        Span { start, end: self.bytes.len() as u32 }
    }

    /// Appends a part of a message, in frames of at most `split` bytes.
    pub(crate) fn part(&mut self, payload: &[u8], last: bool, split: usize) -> Span {
        let start = self.bytes.len() as u32;
        frame::write_part(&mut self.bytes, payload, last, split);
        Span { start, end: self.bytes.len() as u32 }
    }

    /// Appends plain bytes.
    pub(crate) fn text(&mut self, text: &[u8]) -> Span {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(text);
        Span { start, end: self.bytes.len() as u32 }
    }

    /// Appends ids; the span counts ids, not bytes.
    pub(crate) fn ids(&mut self, ids: impl IntoIterator<Item = u64>) -> Span {
        let start = self.ids.len() as u32;
        self.ids.extend(ids);
        Span { start, end: self.ids.len() as u32 }
    }

    /// Moves everything from `other` behind what is here.
    pub(crate) fn append(&mut self, other: &mut Self) {
        if self.is_empty() {
            std::mem::swap(self, other);
            other.clear();
            return;
        }
        if self.is_large() {
            // Offsets into both together would not fit.
            other.detach_frames();
        }
        let (bytes, ids) = (self.bytes.len() as u32, self.ids.len() as u32);
        self.bytes.extend_from_slice(&other.bytes);
        self.ids.extend_from_slice(&other.ids);
        self.commands.extend(other.commands.drain(..).map(|mut command| {
            command.shift(bytes, ids);
            command
        }));
        self.reserved += other.reserved;
        self.reach += other.reach;
        other.clear();
    }

    /// Makes every frame a block of its own.
    fn detach_frames(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let copy =
            |span: Span| bytes.get(span.start as usize..span.end as usize).unwrap_or_default().to_vec();
        for command in &mut self.commands {
            match command.casting() {
                Command::Close { reason, .. } => {
                    let start = self.bytes.len() as u32;
                    self.bytes.extend_from_slice(&copy(*reason));
                    *reason = Span { start, end: self.bytes.len() as u32 };
                }
                other => other.share(&copy),
            }
        }
    }

    /// Whether so much is in it that further frames should come as blocks of their own.
    pub(crate) fn is_large(&self) -> bool {
        self.bytes.len() > MAX_BATCH
    }

    /// Nothing of it will be carried out. Whom a call has chosen that asks for its outcome, it has not reached.
    pub(crate) fn abandon(&self) {
        for command in &self.commands {
            if let Command::Accounted(accounted) = command
                && let Command::Multicast { to, .. } | Command::MulticastShared { to, .. } = accounted.command
            {
                let chosen = self.ids.get(to.start as usize..to.end as usize);
                accounted.part.add(0, chosen.unwrap_or_default());
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.commands.clear();
        self.bytes.clear();
        self.ids.clear();
        self.reserved = 0;
        self.reach = 0;
        let kept = self
            .bytes
            .capacity()
            .max(self.commands.capacity() * size_of::<Command>())
            .max(self.ids.capacity() * 8);
        if kept > KEEP {
            *self = Self::default();
        }
    }
}

impl Command {
    /// What is to be carried out, apart from whether its outcome was asked for.
    fn casting(&mut self) -> &mut Self {
        match self {
            Self::Accounted(accounted) => &mut accounted.command,
            other => other,
        }
    }

    /// Makes a frame in the batch a block of its own.
    fn share(&mut self, copy: &impl Fn(Span) -> Vec<u8>) {
        *self = match *self {
            Self::Send { client, frame, compress } => {
                Self::SendShared { client, frame: Block::new(copy(frame)), compress }
            }
            Self::Part { client, frame, last } => {
                Self::PartShared { client, frame: Block::new(copy(frame)), last }
            }
            Self::Broadcast { gateway, frame, except, compress } => {
                Self::BroadcastShared { gateway, frame: Block::new(copy(frame)), except, compress }
            }
            Self::Multicast { gateway, frame, to, compress } => {
                Self::MulticastShared { gateway, frame: Block::new(copy(frame)), to, compress }
            }
            _ => return,
        };
    }

    fn shift(&mut self, bytes: u32, ids: u32) {
        let by = |span: &mut Span, by: u32| {
            span.start += by;
            span.end += by;
        };
        match self.casting() {
            Self::Send { frame, .. } | Self::Part { frame, .. } => by(frame, bytes),
            Self::Broadcast { frame, except, .. } => {
                by(frame, bytes);
                by(except, ids);
            }
            Self::Multicast { frame, to, .. } => {
                by(frame, bytes);
                by(to, ids);
            }
            Self::BroadcastShared { except, .. } => by(except, ids),
            Self::MulticastShared { to, .. } => by(to, ids),
            Self::Close { reason, .. } => by(reason, bytes),
            _ => {}
        }
    }
}

/// What waits for a worker.
#[derive(Debug, Default)]
struct Queue {
    /// Batches that reach so many that each is for a turn of its own.
    full: VecDeque<Batch>,
    last: Batch,
}

/// One worker's mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    queue: Mutex<Queue>,
    /// Whether `queue` holds anything: so that the worker, and its own callbacks, need not lock.
    filled: AtomicBool,
    /// The worker has ended: nothing will be carried out.
    ended: AtomicBool,
    /// Whether the worker sleeps, or is about to.
    parked: AtomicBool,
    /// What commands that are not carried out take, of those that a caller may repeat without an end: their
    /// bytes, ids, and themselves.
    reserved: AtomicU64,
    /// Whether another thread wants to run the worker, so that it should not sleep.
    called: AtomicBool,
    waker: Waker,
    /// How many clients live there.
    pub(crate) clients: AtomicU32,
}

/// How much of broadcasts, multicasts, pings, joins and leaves may wait for one worker. Direct messages count in
/// their outboxes; of the rest a client has a bounded number by its nature.
const MAX_RESERVED: u64 = 64 << 20;
/// What a command counts for beside its frame and its ids.
pub(crate) const OVERHEAD: u64 = 64;

/// A batch that reaches so many clients takes no more commands: the worker reads its sockets before it
/// carries out the next.
pub(crate) const REACH: usize = 64 << 10;

/// The bytes of a batch are named by 32-bit offsets.
const MAX_BATCH: usize = 1 << 30;

impl Mailbox {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            queue: Mutex::default(),
            filled: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            parked: AtomicBool::new(false),
            reserved: AtomicU64::new(0),
            called: AtomicBool::new(false),
            waker,
            clients: AtomicU32::new(0),
        }
    }

    /// Lets `fill` add to the queue, and sees that the worker is awake. False when it has ended.
    pub(crate) fn post(&self, fill: impl FnOnce(&mut Batch)) -> bool {
        let done = self.put(fill);
        self.wake();
        done
    }

    /// Lets `fill` add to the queue; [`Mailbox::wake`] is to follow. False when the worker has ended.
    pub(crate) fn put(&self, fill: impl FnOnce(&mut Batch)) -> bool {
        let mut queue = self.queue.lock();
        if self.has_ended() {
            return false;
        }
        if queue.last.reach >= REACH {
            let full = std::mem::take(&mut queue.last);
            queue.full.push_back(full);
        }
        fill(&mut queue.last);
        self.filled.store(true, Ordering::SeqCst);
        true
    }

    /// Reserves room for a command, which is given back when it was carried out. FULL when [`MAX_RESERVED`]
    /// waits; one that finds nothing waiting always fits.
    pub(crate) fn reserve(&self, bytes: u64) -> Result<()> {
        let before = self.reserved.fetch_add(bytes, Ordering::Relaxed);
        let fits = before == 0 || before + bytes <= MAX_RESERVED;
        if fits {
            return Ok(());
        }
        self.release(bytes);
        let waiting = MAX_RESERVED >> 20;
        Err(Error::new(
            ErrorKind::Full,
            format!("a worker is busy, and {waiting} MiB of commands wait for it"),
        ))
    }

    pub(crate) fn release(&self, bytes: u64) {
        if bytes > 0 {
            self.reserved.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// Wakes the worker if it sleeps.
    pub(crate) fn wake(&self) {
        if self.parked.swap(false, Ordering::SeqCst) {
            // A failure means that the worker's poller is gone, and with it the worker.
            let _ = self.waker.wake();
        }
    }

    /// Whether something waits.
    pub(crate) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::SeqCst)
    }

    /// Whether the worker has ended; for good, when asked under the queue's lock.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// The worker is about to sleep: true if it may. Who posts after this wakes it.
    pub(crate) fn park(&self) -> bool {
        // A swap, here and below, so that whoever posted and did not find it parked is seen from now on.
        self.parked.swap(true, Ordering::SeqCst);
        if self.is_filled() || self.is_called() {
            self.unpark();
            return false;
        }
        true
    }

    /// Asks whoever runs the worker to let another thread run it, or takes that back.
    pub(crate) fn call(&self, called: bool) {
        self.called.store(called, Ordering::SeqCst);
        if called {
            self.wake();
        }
    }

    /// Whether another thread wants to run the worker.
    pub(crate) fn is_called(&self) -> bool {
        self.called.load(Ordering::SeqCst)
    }

    pub(crate) fn unpark(&self) {
        self.parked.swap(false, Ordering::SeqCst);
    }

    /// Exchanges what waits, or as much of it as one turn should carry out, for an empty batch. Whether
    /// that was all.
    pub(crate) fn take(&self, spare: &mut Batch) -> bool {
        if !self.is_filled() {
            return true;
        }
        let mut queue = self.queue.lock();
        match queue.full.pop_front() {
            Some(batch) => *spare = batch,
            None => std::mem::swap(&mut queue.last, spare),
        }
        let all = queue.full.is_empty() && queue.last.is_empty();
        self.filled.store(!all, Ordering::SeqCst);
        all
    }

    /// The worker ends: what waits is dropped, and nothing more is taken.
    pub(crate) fn end(&self) -> impl Iterator<Item = Command> + use<> {
        let mut queue = self.queue.lock();
        self.ended.store(true, Ordering::SeqCst);
        let Queue { mut full, last } = std::mem::take(&mut *queue);
        drop(queue);
        full.push_back(last);
        full.iter().for_each(Batch::abandon);
        full.into_iter().flat_map(|batch| batch.commands)
    }
}

/// The poller of a worker, and the mailbox that wakes it.
pub(crate) fn pair(token: mio::Token) -> io::Result<(mio::Poll, Arc<Mailbox>)> {
    let poll = mio::Poll::new()?;
    #[cfg(not(wsgate_loom))]
    let waker = Waker::new(poll.registry(), token)?;
    #[cfg(wsgate_loom)]
    let (waker, _) = (Waker::new(), token);
    Ok((poll, Arc::new(Mailbox::new(waker))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_their_order_and_their_bytes() {
        let (_poll, mailbox) = pair(mio::Token(0)).unwrap();
        for word in [&b"one"[..], b"two"] {
            let mut batch = Batch::default();
            let frame = batch.frame(Opcode::Text, word, usize::MAX);
            let except = batch.ids([1, 2]);
            batch.commands.push(Command::Broadcast {
                gateway: 9,
                frame,
                except,
                compress: Compress::default(),
            });
            assert!(mailbox.post(|queued| queued.append(&mut batch)) && batch.is_empty());
        }
        let mut taken = Batch::default();
        mailbox.take(&mut taken);
        let seen: Vec<(&[u8], &[u64])> = taken
            .commands
            .iter()
            .map(|command| match command {
                Command::Broadcast { frame, except, .. } => (
                    &taken.bytes[frame.start as usize..frame.end as usize],
                    &taken.ids[except.start as usize..except.end as usize],
                ),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(seen, [(&b"\x81\x03one"[..], &[1, 2][..]), (b"\x81\x03two", &[1, 2])]);
    }

    #[test]
    fn frames_become_blocks_where_offsets_would_not_fit() {
        let mut batch = Batch::default();
        for word in [&b"one"[..], b"two"] {
            let (frame, reason) = (batch.frame(Opcode::Text, word, usize::MAX), batch.text(word));
            batch.commands.push(Command::Send { client: 1, frame, compress: Compress::default() });
            batch.commands.push(Command::Close { client: 1, code: 1000, reason });
        }
        batch.detach_frames();
        let [Command::SendShared { frame, .. }, _, _, Command::Close { reason, .. }] = &batch.commands[..]
        else {
            panic!("{:?}", batch.commands);
        };
        assert_eq!(frame[..], b"\x81\x03one"[..]);
        assert_eq!(&batch.bytes[reason.start as usize..reason.end as usize], b"two");
    }

    #[test]
    fn what_reaches_very_many_is_taken_one_turn_at_a_time() {
        let (_poll, mailbox) = pair(mio::Token(0)).unwrap();
        for (gateway, reach) in [(1, REACH - 1), (2, 1), (3, 5), (4, REACH), (5, 0)] {
            assert!(mailbox.put(|batch| {
                batch.commands.push(Command::Retire { gateway });
                batch.reach += reach;
            }));
        }
        let mut taken = Batch::default();
        let mut seen = Vec::new();
        let gateway = |command: &Command| match command {
            Command::Retire { gateway } => *gateway,
            other => panic!("{other:?}"),
        };
        while mailbox.is_filled() {
            let all = mailbox.take(&mut taken);
            assert_eq!(all, !mailbox.is_filled());
            seen.push(taken.commands.iter().map(gateway).collect::<Vec<u64>>());
            taken.clear();
        }
        assert_eq!(seen, [vec![1, 2], vec![3, 4], vec![5]]);
    }

    #[test]
    fn a_worker_does_not_sleep_on_mail_and_takes_none_after_its_end() {
        let (_poll, mailbox) = pair(mio::Token(0)).unwrap();
        assert!(mailbox.park());
        mailbox.unpark();
        assert!(mailbox.post(|batch| batch.commands.push(Command::Retire { gateway: 1 })));
        assert!(!mailbox.park());
        assert_eq!(mailbox.end().count(), 1);
        assert!(!mailbox.post(|_| ()));
    }
}

#[cfg(all(test, wsgate_loom))]
#[path = "mailbox_models.rs"]
mod models;
