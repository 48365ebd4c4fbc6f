//! A message that is compressed for many: once, whichever worker needs it first.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::protocol::deflate::SharedClass;

use super::block::Block;

/// How a message is compressed for those who can take the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    pub(crate) class: SharedClass,
    pub(crate) level: u8,
    pub(crate) split: usize,
}

/// What was made of a message that all workers share; nothing where it would not get smaller.
#[derive(Debug, Default)]
pub(crate) struct Packed(Mutex<Vec<(Packing, Option<Arc<Block>>)>>);

/// How long a worker waits for another that is at it, by the message's length: some times what it takes. If that one was
/// interrupted, it is done twice, which stalls nobody.
fn patience(length: usize) -> Duration {
    Duration::from_nanos(100_000 + 50 * length as u64)
}

impl Packed {
    /// The message, compressed in this way: as it is known, or as `make` makes it of its `length` bytes.
    pub(crate) fn get_or_make(
        &self,
        packing: Packing,
        length: usize,
        make: impl FnOnce() -> Option<Arc<Block>>,
    ) -> Option<Arc<Block>> {
        let Some(mut known) = self.0.try_lock_for(patience(length)) else { return make() };
        if let Some((_, block)) = known.iter().find(|(of, _)| *of == packing) {
            return block.clone();
        }
        let block = make();
        known.push((packing, block.clone()));
        block
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    fn packing(level: u8) -> Packing {
        Packing { class: SharedClass { bits: 15, ends: true }, level, split: 1000 }
    }

    #[test]
    fn all_threads_get_what_the_first_has_made() {
        let (packed, made, begin) = (Packed::default(), AtomicU32::new(0), Barrier::new(4));
        // So long that nobody's patience ends.
        const LENGTH: usize = 1 << 30;
        let all: Vec<Arc<Block>> = thread::scope(|scope| {
            let get = || {
                begin.wait();
                packed.get_or_make(packing(6), LENGTH, || {
                    made.fetch_add(1, Ordering::Relaxed);
                    Some(Block::new(vec![1; 10]))
                })
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(get)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
        });
        assert_eq!(made.into_inner(), 1);
        assert!(all.iter().all(|block| Arc::ptr_eq(block, &all[0])));
        assert!(packed.get_or_make(packing(1), LENGTH, || None).is_none(), "another level");
        assert!(packed.get_or_make(packing(1), LENGTH, || panic!("known not to get smaller")).is_none());
    }

    #[test]
    fn nobody_waits_for_one_that_does_not_come_to_an_end() {
        let packed = Packed::default();
        let held = packed.0.lock();
        assert!(packed.get_or_make(packing(6), 10, || Some(Block::new(vec![1]))).is_some());
        drop(held);
    }
}
