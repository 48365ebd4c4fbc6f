//! What all threads know of a client: one entry in a table of atomics.
//!
//! A send from any thread learns here at once whether the id is stale and whether the outbox has room,
//! and reserves that room, so that what still waits in a worker's mailbox counts too.

use crate::config::{Endpoint, OUTBOX_BYTES, OUTBOX_MESSAGES};
use crate::counters::{Figures, Info};
use crate::ids::{self, Entry};
use crate::protocol::deflate::Agreement;
use crate::sync::atomic::{AtomicU64, Ordering};

/// A client's entry. In one cache line what senders need; in the next two what the worker counts.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Client {
    /// The worker's number (16 bits), the endpoint's (16), the client's place on the worker (32).
    home: AtomicU64,
    /// The id's tag, and the messages and bytes that wait for it.
    queued: AtomicU64,
    /// What was agreed upon of compression, the most messages and the most bytes that may wait, where `queued` has
    /// them.
    limit: AtomicU64,
    user_data: AtomicU64,
    /// The id's serial number, over the flags: they are only set for the one they are meant for.
    flags: AtomicU64,
    pub(crate) figures: Figures,
}

#[cfg(not(wsgate_loom))]
const _: () = assert!(size_of::<Entry<Client>>() == 3 * 64);

/// Of `queued`: bytes have the low 32 bits, messages the next, the tag, the id's lowest serial bits, the rest.
const MESSAGE_BITS: u32 = 18;
const MESSAGES: u64 = (1 << MESSAGE_BITS) - 1;
const TAG_SHIFT: u32 = 32 + MESSAGE_BITS;
/// A direct send and a broadcast may each fill the outbox without seeing the other, and a message that
/// finds it empty may be as long as a message can be.
const _: () = assert!(2 * OUTBOX_MESSAGES.max < MESSAGES && 3 * OUTBOX_BYTES.max < 1 << 32);

/// Nothing more may be sent: the application has closed.
const CLOSING: u64 = 1;
/// A send was refused: DRAIN is owed.
const WANTS_DRAIN: u64 = 2;
/// The application does not want it to be read.
const PAUSED: u64 = 4;
/// A message to it was begun and not ended.
const OPEN: u64 = 8;
/// How many bits of `flags` lie below the serial number.
const FLAG_BITS: u32 = 4;

/// Why a send was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Closed,
    Full,
}

/// What room is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    /// A message. While one that was begun is open, it waits behind that.
    Message,
    /// A part of the message that is open.
    Part,
    /// The end of it, without more of its content.
    End,
}

fn tag(id: u64) -> u64 {
    ids::serial(id) & (u64::MAX >> TAG_SHIFT)
}

fn bytes_of(queued: u64) -> u64 {
    queued & u64::from(u32::MAX)
}

fn messages_of(queued: u64) -> u64 {
    queued >> 32 & MESSAGES
}

impl Client {
    /// Sets the entry up for a new id.
    pub(crate) fn prepare(&self, id: u64, worker: u16, endpoint: u16, settings: &Endpoint, now_ns: u64) {
        let home = u64::from(worker) << 48 | u64::from(endpoint) << 32 | u64::from(u32::MAX);
        self.home.store(home, Ordering::Relaxed);
        // These two are swapped: a late send to the last owner came before, or finds another's tag.
        self.queued.swap(tag(id) << TAG_SHIFT, Ordering::SeqCst);
        self.limit.store(settings.outbox_messages << 32 | settings.outbox_bytes, Ordering::Relaxed);
        self.user_data.store(0, Ordering::Relaxed);
        self.flags.swap(ids::serial(id) << FLAG_BITS, Ordering::SeqCst);
        self.figures.begin(now_ns);
    }

    /// The worker that it lives on.
    pub(crate) fn worker(&self) -> usize {
        (self.home.load(Ordering::Relaxed) >> 48) as usize
    }

    /// Its endpoint's number.
    pub(crate) fn endpoint(&self) -> usize {
        usize::from((self.home.load(Ordering::Relaxed) >> 32) as u16)
    }

    /// What was agreed upon with it of permessage-deflate.
    pub(crate) fn agreement(&self) -> Option<Agreement> {
        Agreement::from_bits((self.limit.load(Ordering::Relaxed) >> TAG_SHIFT) as u16)
    }

    /// Its place there.
    pub(crate) fn place(&self) -> u32 {
        self.home.load(Ordering::Relaxed) as u32
    }

    pub(crate) fn settle_at(&self, place: u32) {
        let worker = self.home.load(Ordering::Relaxed) & !u64::from(u32::MAX);
        self.home.store(worker | u64::from(place), Ordering::Relaxed);
    }

    /// Before anybody knows of it.
    pub(crate) fn set_agreement(&self, agreement: Option<Agreement>) {
        let limit = self.limit.load(Ordering::Relaxed) & (u64::MAX >> (64 - TAG_SHIFT));
        let bits = agreement.map_or(0, Agreement::to_bits);
        self.limit.store(limit | u64::from(bits) << TAG_SHIFT, Ordering::Relaxed);
    }

    pub(crate) fn user_data(&self) -> u64 {
        self.user_data.load(Ordering::Relaxed)
    }

    pub(crate) fn set_user_data(&self, word: u64) {
        self.user_data.store(word, Ordering::Relaxed);
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & CLOSING != 0
    }

    /// Marks the client `id` as closing; false when it was, or is another by now.
    pub(crate) fn begin_close(&self, id: u64) -> bool {
        self.mark(id, CLOSING)
    }

    /// Undoes [`Client::begin_close`], by which a client that is not accepted yet is kept from being sent to.
    pub(crate) fn open(&self, id: u64) {
        let clear = |flags: u64| (flags >> FLAG_BITS == ids::serial(id)).then_some(flags & !CLOSING);
        let _ = self.flags.fetch_update(Ordering::SeqCst, Ordering::SeqCst, clear);
    }

    /// Marks the client `id` as one that a message was begun to; false when one is open, or the entry is
    /// another's by now.
    pub(crate) fn open_message(&self, id: u64) -> bool {
        self.mark(id, OPEN)
    }

    pub(crate) fn has_open_message(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & OPEN != 0
    }

    /// Takes that mark away; false when none was there, or the entry is another's by now.
    pub(crate) fn end_message(&self, id: u64) -> bool {
        self.unmark(id, OPEN)
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & PAUSED != 0
    }

    /// Marks the client `id` as one that is not to be read, or takes the mark away; false when nothing
    /// changes, or the entry is another's by now.
    pub(crate) fn set_paused(&self, id: u64, paused: bool) -> bool {
        if paused { self.mark(id, PAUSED) } else { self.unmark(id, PAUSED) }
    }

    /// Takes a flag of the client `id` away; false when it was not set, or the entry is another's by now.
    fn unmark(&self, id: u64, flag: u64) -> bool {
        let clear = |flags: u64| {
            (flags >> FLAG_BITS == ids::serial(id) && flags & flag != 0).then_some(flags & !flag)
        };
        self.flags.fetch_update(Ordering::SeqCst, Ordering::SeqCst, clear).is_ok()
    }

    /// Sets a flag for the client `id`; false when it was set, or the entry is another's by now.
    fn mark(&self, id: u64, flag: u64) -> bool {
        let set =
            |flags: u64| (flags >> FLAG_BITS == ids::serial(id) && flags & flag == 0).then_some(flags | flag);
        self.flags.fetch_update(Ordering::SeqCst, Ordering::SeqCst, set).is_ok()
    }

    /// The bytes that wait, in the mailbox and in the outbox.
    pub(crate) fn queued_bytes(&self) -> u64 {
        bytes_of(self.queued.load(Ordering::Relaxed))
    }

    /// Whether a message of `bytes` more would pass the limit, with `uncounted` bytes and messages
    /// that the entry does not know of. One that finds nothing queued always fits.
    pub(crate) fn is_over(&self, bytes: u64, uncounted_bytes: u64, uncounted_messages: u64) -> bool {
        let queued = self.queued.load(Ordering::Relaxed);
        over(
            self.limit.load(Ordering::Relaxed),
            bytes_of(queued) + uncounted_bytes,
            messages_of(queued) + uncounted_messages,
            bytes,
        )
    }

    /// The same for a message that would wait behind an open one: it may fill half of the outbox.
    pub(crate) fn is_over_half(&self, bytes: u64, uncounted_bytes: u64, uncounted_messages: u64) -> bool {
        let queued = self.queued.load(Ordering::Relaxed);
        let (bytes_so_far, messages) =
            (bytes_of(queued) + uncounted_bytes, messages_of(queued) + uncounted_messages);
        over_half(self.limit.load(Ordering::Relaxed), bytes_so_far, messages, bytes)
    }

    /// What may wait behind an open message, bytes and messages.
    pub(crate) fn half(&self) -> (u64, u64) {
        let limit = self.limit.load(Ordering::Relaxed);
        (bytes_of(limit) / 2, messages_of(limit) / 2)
    }

    /// Adds to what waits, or takes off. The worker's alone.
    pub(crate) fn adjust(&self, bytes: i64, messages: i64) {
        let change = (messages << 32).wrapping_add(bytes);
        if change != 0 {
            self.queued.fetch_add(change as u64, Ordering::SeqCst);
        }
    }

    /// Whether DRAIN is owed and due: half of the limit is free again. Takes the debt away.
    pub(crate) fn drained(&self) -> bool {
        if self.flags.load(Ordering::SeqCst) & WANTS_DRAIN == 0 {
            return false;
        }
        let (limit, queued) = (self.limit.load(Ordering::Relaxed), self.queued.load(Ordering::SeqCst));
        is_low(limit, queued) && self.flags.fetch_and(!WANTS_DRAIN, Ordering::SeqCst) & WANTS_DRAIN != 0
    }
}

impl Entry<Client> {
    /// The figures of the client `id`, or `None` when it is gone.
    pub(crate) fn info(&self, id: u64) -> Option<Info> {
        let info = self.value.figures.info(self.value.queued_bytes());
        self.was(id).then_some(info)
    }

    /// Reserves room for one message of `bytes` for the client `id`.
    #[inline]
    pub(crate) fn reserve(&self, id: u64, bytes: u32) -> Result<(), Refused> {
        self.reserve_for(id, bytes, For::Message)
    }

    /// Reserves room for a part of the message that is open; there always is for its mere end.
    pub(crate) fn reserve_part(&self, id: u64, bytes: u32, is_mere_end: bool) -> Result<(), Refused> {
        self.reserve_for(id, bytes, if is_mere_end { For::End } else { For::Part })
    }

    #[inline]
    fn reserve_for(&self, id: u64, bytes: u32, what: For) -> Result<(), Refused> {
        let client = &self.value;
        let limit = client.limit.load(Ordering::Relaxed);
        let mut queued = client.queued.load(Ordering::SeqCst);
        let mut marked = false;
        loop {
            // The tag stands in the same word: a reservation can't hit the place's next owner.
            let flags = client.flags.load(Ordering::Relaxed);
            if queued >> TAG_SHIFT != tag(id) || flags & CLOSING != 0 || !self.is(id) {
                return Err(Refused::Closed);
            }
            let (queued_bytes, messages) = (bytes_of(queued), messages_of(queued));
            let is_over = match what {
                For::Message if flags & OPEN != 0 => over_half(limit, queued_bytes, messages, bytes.into()),
                For::Message => over(limit, queued_bytes, messages, bytes.into()),
                // When DRAIN has come, any part fits.
                For::Part => !is_low(limit, queued) && over(limit, queued_bytes, messages, bytes.into()),
                For::End => false,
            };
            if is_over {
                if marked {
                    return Err(Refused::Full);
                }
                // Marked first, looked at again afterwards: if the worker has made room in between, it
                // may have missed the mark.
                client.mark(id, WANTS_DRAIN);
                marked = true;
                queued = client.queued.fetch_add(0, Ordering::SeqCst);
                continue;
            }
            let next = queued + (1 << 32) + u64::from(bytes);
            match client.queued.compare_exchange_weak(queued, next, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return Ok(()),
                Err(now) => queued = now,
            }
        }
    }
}

/// Whether half of the limit is free.
fn is_low(limit: u64, queued: u64) -> bool {
    bytes_of(queued) * 2 <= bytes_of(limit) && messages_of(queued) * 2 <= messages_of(limit)
}

/// What waits behind an open message may fill half of the outbox, so that there is room for the message itself:
/// it could not end else, and nothing could leave.
fn over_half(limit: u64, bytes: u64, messages: u64, more: u64) -> bool {
    bytes + more > bytes_of(limit) / 2 || messages + 1 > messages_of(limit) / 2
}

fn over(limit: u64, bytes: u64, messages: u64, more: u64) -> bool {
    bytes > 0 && (bytes + more > bytes_of(limit) || messages + 1 > messages_of(limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Pattern;
    use crate::ids::Table;

    fn table(bytes: u64, messages: u64) -> (Table<Client>, u64) {
        let table: Table<Client> = Table::default();
        let settings = Endpoint {
            outbox_bytes: bytes,
            outbox_messages: messages,
            ..Endpoint::new(Pattern::parse("/").unwrap())
        };
        let id = table.insert(|id, client| client.prepare(id, 3, 7, &settings, 1)).unwrap();
        (table, id)
    }

    #[test]
    fn an_entry_knows_where_its_client_lives() {
        let (table, id) = table(100, 3);
        let client = &table.get(id).unwrap().value;
        client.settle_at(u32::MAX - 1);
        assert_eq!((client.worker(), client.endpoint(), client.place()), (3, 7, u32::MAX - 1));
    }

    #[test]
    fn the_largest_limits_fit_their_word() {
        let (table, id) = table(OUTBOX_BYTES.max, OUTBOX_MESSAGES.max);
        let entry = table.get(id).unwrap();
        for _ in 0..OUTBOX_MESSAGES.max {
            assert_eq!(entry.reserve(id, 1), Ok(()));
        }
        assert_eq!(entry.reserve(id, 1), Err(Refused::Full));
        entry.value.adjust(OUTBOX_BYTES.max as i64, OUTBOX_MESSAGES.max as i64);
        assert_eq!(entry.reserve(id, 1), Err(Refused::Full), "and is not taken for another's");
        assert_eq!(entry.value.queued_bytes(), OUTBOX_BYTES.max + OUTBOX_MESSAGES.max);
    }

    #[test]
    fn figures_are_those_of_the_client_they_were_asked_for() {
        let (table, id) = table(100, 3);
        let entry = table.get(id).unwrap();
        entry.value.figures.messages_in.add(2);
        let info = entry.info(id).unwrap();
        assert_eq!((info.messages_in, info.connected_ns, info.size), (2, 1, 176));
        table.remove(id);
        assert_eq!(entry.info(id), None);
    }

    #[test]
    fn bytes_and_messages_are_bounded_and_drain_comes_at_half() {
        let (table, id) = table(100, 3);
        let entry = table.get(id).unwrap();
        assert_eq!(entry.reserve(id, 5000), Ok(()), "a message that finds nothing queued fits");
        assert_eq!(entry.reserve(id, 1), Err(Refused::Full));
        assert!(!entry.value.drained());
        entry.value.adjust(-5000, -1);
        assert!(entry.value.drained() && !entry.value.drained(), "told once");
        for _ in 0..3 {
            assert_eq!(entry.reserve(id, 10), Ok(()));
        }
        assert_eq!(entry.reserve(id, 10), Err(Refused::Full));
        assert_eq!(entry.value.queued_bytes(), 30);
    }

    #[test]
    fn a_closing_or_stale_client_takes_nothing() {
        let (table, id) = table(100, 3);
        let entry = table.get(id).unwrap();
        assert!(entry.value.begin_close(id) && !entry.value.begin_close(id));
        assert_eq!(entry.reserve(id, 1), Err(Refused::Closed));
        table.remove(id);
        let settings = Endpoint::new(Pattern::parse("/").unwrap());
        let next = table.insert(|id, client| client.prepare(id, 0, 0, &settings, 0)).unwrap();
        let entry = table.get(next).unwrap();
        assert_eq!(entry.reserve(id, 1), Err(Refused::Closed));
        assert_eq!(entry.value.queued_bytes(), 0, "the next owner is not charged");
        assert!(!entry.value.begin_close(id) && !entry.value.is_closing(), "nor closed");
        assert_eq!(entry.reserve(next, 1), Ok(()));
    }
}

#[cfg(all(test, wsgate_loom))]
#[path = "client_models.rs"]
mod models;
