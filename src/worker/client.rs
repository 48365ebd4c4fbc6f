//! What all threads know of a client: one entry in a table of atomics.
//!
//! A send from any thread learns here at once whether the id is stale and whether the outbox has room,
//! and reserves that room, so that what still waits in a worker's mailbox counts too.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::ids::{self, Entry};

/// A client's entry.
#[derive(Debug, Default)]
pub(crate) struct Client {
    /// The worker's number, over the client's place there.
    home: AtomicU64,
    /// The id's tag (16 bits), messages (16), bytes (32) that wait for it.
    queued: AtomicU64,
    /// The most messages (over 32 bits) and bytes that may wait.
    limit: AtomicU64,
    user_data: AtomicU64,
    /// The id's serial number, over two flags: they are only set for the one they are meant for.
    flags: AtomicU64,
}

/// Nothing more may be sent: the application has closed.
const CLOSING: u64 = 1;
/// A send was refused: DRAIN is owed.
const WANTS_DRAIN: u64 = 2;

/// Why a send was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Closed,
    Full,
}

impl Client {
    /// Sets the entry up for a new id.
    pub(crate) fn prepare(&self, id: u64, worker: u16, limit_bytes: u64, limit_messages: u64) {
        self.home.store(u64::from(worker) << 32 | u64::from(u32::MAX), Ordering::Relaxed);
        self.queued.store(u64::from(ids::tag(id)) << 48, Ordering::Relaxed);
        self.limit.store(limit_messages << 32 | limit_bytes, Ordering::Relaxed);
        self.user_data.store(0, Ordering::Relaxed);
        self.flags.store(ids::serial(id) << 2, Ordering::Relaxed);
    }

    /// The worker that it lives on.
    pub(crate) fn worker(&self) -> usize {
        (self.home.load(Ordering::Relaxed) >> 32) as usize
    }

    /// Its place there.
    pub(crate) fn place(&self) -> u32 {
        self.home.load(Ordering::Relaxed) as u32
    }

    pub(crate) fn settle_at(&self, place: u32) {
        let worker = self.home.load(Ordering::Relaxed) & !u64::from(u32::MAX);
        self.home.store(worker | u64::from(place), Ordering::Relaxed);
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
        let clear = |flags: u64| (flags >> 2 == ids::serial(id)).then_some(flags & !CLOSING);
        let _ = self.flags.fetch_update(Ordering::SeqCst, Ordering::SeqCst, clear);
    }

    /// Sets a flag for the client `id`; false when it was set, or the entry is another's by now.
    fn mark(&self, id: u64, flag: u64) -> bool {
        let set = |flags: u64| (flags >> 2 == ids::serial(id) && flags & flag == 0).then_some(flags | flag);
        self.flags.fetch_update(Ordering::SeqCst, Ordering::SeqCst, set).is_ok()
    }

    /// The bytes that wait, in the mailbox and in the outbox.
    #[cfg(test)]
    fn queued_bytes(&self) -> u64 {
        self.queued.load(Ordering::Relaxed) & u64::from(u32::MAX)
    }

    /// Whether a message of `bytes` more would pass the limit, with `uncounted` bytes and messages
    /// that the entry does not know of. One that finds nothing queued always fits.
    pub(crate) fn is_over(&self, bytes: u64, uncounted_bytes: u64, uncounted_messages: u64) -> bool {
        let queued = self.queued.load(Ordering::Relaxed);
        over(
            self.limit.load(Ordering::Relaxed),
            (queued & u64::from(u32::MAX)) + uncounted_bytes,
            (queued >> 32 & 0xffff) + uncounted_messages,
            bytes,
        )
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
        let low = (queued & u64::from(u32::MAX)) * 2 <= limit & u64::from(u32::MAX)
            && (queued >> 32 & 0xffff) * 2 <= limit >> 32;
        low && self.flags.fetch_and(!WANTS_DRAIN, Ordering::SeqCst) & WANTS_DRAIN != 0
    }
}

impl Entry<Client> {
    /// Reserves room for one message of `bytes` for the client `id`.
    pub(crate) fn reserve(&self, id: u64, bytes: u32) -> Result<(), Refused> {
        let client = &self.value;
        let tag = u64::from(ids::tag(id));
        let limit = client.limit.load(Ordering::Relaxed);
        let mut queued = client.queued.load(Ordering::SeqCst);
        let mut marked = false;
        loop {
            // The tag stands in the same word: a reservation can't hit the place's next owner.
            if queued >> 48 != tag || client.is_closing() || !self.is(id) {
                return Err(Refused::Closed);
            }
            if over(limit, queued & u64::from(u32::MAX), queued >> 32 & 0xffff, u64::from(bytes)) {
                if marked {
                    return Err(Refused::Full);
                }
                // Marked first, looked at again afterwards: if the worker has made room in between, it
                // may have missed the mark.
                client.mark(id, WANTS_DRAIN);
                marked = true;
                queued = client.queued.load(Ordering::SeqCst);
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

fn over(limit: u64, bytes: u64, messages: u64, more: u64) -> bool {
    bytes > 0 && (bytes + more > limit & u64::from(u32::MAX) || messages + 1 > limit >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Table;

    fn table(bytes: u64, messages: u64) -> (Table<Client>, u64) {
        let table: Table<Client> = Table::default();
        let id = table.insert(|id, client| client.prepare(id, 3, bytes, messages)).unwrap();
        (table, id)
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
        let next = table.insert(|id, client| client.prepare(id, 0, 100, 3)).unwrap();
        let entry = table.get(next).unwrap();
        assert_eq!(entry.reserve(id, 1), Err(Refused::Closed));
        assert_eq!(entry.value.queued_bytes(), 0, "the next owner is not charged");
        assert!(!entry.value.begin_close(id) && !entry.value.is_closing(), "nor closed");
        assert_eq!(entry.reserve(next, 1), Ok(()));
    }
}
