//! The memory of what peers have said and not finished, counted for the whole process.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::config::INBOX_BUDGET;
use crate::error::Result;

/// What all peers together have us hold, and what they may.
static HELD: AtomicU64 = AtomicU64::new(0);
static BUDGET: AtomicU64 = AtomicU64::new(INBOX_BUDGET.default);

/// What came of a message whose end has not.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    bytes: Vec<u8>,
}

impl Unfinished {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        HELD.fetch_add(bytes.capacity() as u64, Ordering::Relaxed);
        Self { bytes }
    }

    /// Appends a piece. Room is doubled as it fills, but not beyond the `left` bytes that are still to come, at most.
    pub(crate) fn push(&mut self, piece: &[u8], left: u64) {
        let before = self.bytes.capacity();
        if self.bytes.len() + piece.len() > before {
            let rest = piece.len().saturating_add(usize::try_from(left).unwrap_or(usize::MAX));
            self.bytes.reserve_exact(self.bytes.len().max(piece.len()).min(rest));
        }
        self.bytes.extend_from_slice(piece);
        let more = self.bytes.capacity() - before;
        if more > 0 {
            HELD.fetch_add(more as u64, Ordering::Relaxed);
        }
    }

    /// How much memory it takes.
    pub(crate) fn size(&self) -> usize {
        self.bytes.capacity()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.bytes.capacity() > 0 {
            HELD.fetch_sub(self.bytes.capacity() as u64, Ordering::Relaxed);
        }
    }
}

impl Deref for Unfinished {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Unfinished {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// How many bytes of memory hold the unfinished messages of all clients in the process, as they came, and what was
/// read from clients who are not listened to for the moment.
pub fn inbox_bytes() -> u64 {
    HELD.load(Ordering::Relaxed)
}

/// How many bytes [`inbox_bytes`] may be before clients with the longest unfinished messages are closed.
pub fn inbox_budget() -> u64 {
    BUDGET.load(Ordering::Relaxed)
}

/// Sets [`INBOX_BUDGET`], for all servers of the process and from now on.
pub fn set_inbox_budget(bytes: u64) -> Result<()> {
    BUDGET.store(INBOX_BUDGET.check(bytes)?, Ordering::Relaxed);
    Ok(())
}

/// Whether they are over it.
pub(crate) fn is_over_budget() -> bool {
    inbox_bytes() > inbox_budget()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_counted_while_it_is_held_and_ends_with_the_message() {
        // Other tests hold something at the same time, but not so much.
        const LARGE: usize = 64 << 20;
        let mut unfinished = Unfinished::default();
        unfinished.push(&vec![1; LARGE], 1000);
        unfinished.push(&[2; 999], 1);
        unfinished.push(&[3], 0);
        assert_eq!((unfinished.len(), unfinished.size()), (LARGE + 1000, LARGE + 1000));
        assert!(inbox_bytes() >= LARGE as u64);
        drop(unfinished);
        assert!(inbox_bytes() < LARGE as u64);
        assert!(set_inbox_budget(1).is_err());
    }
}
