//! The memory of what waits to be written, counted for the whole process.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::config::OUTBOX_BUDGET;
use crate::error::Result;

use super::packed::Packed;

/// What all blocks together hold, and what they may hold.
static HELD: AtomicU64 = AtomicU64::new(0);
static BUDGET: AtomicU64 = AtomicU64::new(OUTBOX_BUDGET.default);

/// Frames that wait in one outbox or in many; the memory is counted once.
#[derive(Debug)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    /// What was made of it, where it is a message that all workers share.
    pub(crate) packed: Packed,
}

impl Block {
    pub(crate) fn new(bytes: Vec<u8>) -> Arc<Self> {
        HELD.fetch_add(bytes.capacity() as u64, Ordering::Relaxed);
        Arc::new(Self { bytes, packed: Packed::default() })
    }

    /// For who is alone with it, before it is queued.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        HELD.fetch_sub(self.bytes.capacity() as u64, Ordering::Relaxed);
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// How many bytes of memory hold what waits in the outboxes of all servers in the process; what many
/// clients wait for is counted once.
pub fn outbox_bytes() -> u64 {
    HELD.load(Ordering::Relaxed)
}

/// How many bytes [`outbox_bytes`] may be before the clients with the largest queues are closed.
pub fn outbox_budget() -> u64 {
    BUDGET.load(Ordering::Relaxed)
}

/// Sets [`OUTBOX_BUDGET`], for all servers of the process and from now on.
pub fn set_outbox_budget(bytes: u64) -> Result<()> {
    BUDGET.store(OUTBOX_BUDGET.check(bytes)?, Ordering::Relaxed);
    Ok(())
}

/// How far they are over it.
pub(crate) fn excess() -> u64 {
    outbox_bytes().saturating_sub(outbox_budget())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_counted_once_while_anybody_holds_it() {
        // Other tests hold blocks at the same time: of this size there are none.
        const LARGE: u64 = 1 << 40;
        let block = Block { bytes: Vec::new(), packed: Packed::default() };
        HELD.fetch_add(LARGE, Ordering::Relaxed);
        assert!(outbox_bytes() >= LARGE && excess() > 0);
        HELD.fetch_sub(LARGE, Ordering::Relaxed);
        drop(block);
        let blocks: Vec<_> = std::iter::repeat_n(Block::new(vec![1; 10]), 3).collect();
        assert_eq!(blocks[2][..], [1; 10]);
        assert!(outbox_bytes() >= 10 && outbox_bytes() < LARGE);
        assert!(set_outbox_budget(1).is_err());
    }
}
