//! Ids that are never reused, and the table that says in one load whether one is still good.
//!
//! An id is a process-wide serial number over the place of its entry in a table. A stale id finds an
//! entry that is free or another's, and both show, because the whole id stands in the entry.

use std::sync::atomic::AtomicU64 as Serial;

use once_cell::sync::OnceCell;

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering, fence};

/// 16 million entries at once, and 2^39 ids in the life of a process: 63 bits, so that an id is a
/// positive integer for hosts whose integers are signed.
const PLACE_BITS: u32 = 24;
const PLACES: u32 = 1 << PLACE_BITS;
const SERIALS: u64 = 1 << (63 - PLACE_BITS);

/// The first segment's entries; each next segment doubles the table.
const FIRST: u32 = if cfg!(wsgate_loom) { 1 } else { 256 };
const SEGMENTS: usize = (PLACE_BITS - FIRST.ilog2()) as usize + 1;

static SERIAL: Serial = Serial::new(1);

/// Entries of type `T`, named by ids. Looked up by any thread without a lock; an entry never moves.
#[derive(Debug)]
pub(crate) struct Table<T> {
    segments: [OnceCell<Box<[Entry<T>]>>; SEGMENTS],
    free: Mutex<Free>,
}

#[derive(Debug, Default)]
struct Free {
    places: Vec<u32>,
    next: u32,
}

/// One place of the table. An entry has cache lines of its own: workers write to theirs all the time.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Entry<T> {
    /// Whose it is; 0 while it is free.
    id: AtomicU64,
    pub(crate) value: T,
}

impl<T> Entry<T> {
    /// Whether it still belongs to `id`.
    pub(crate) fn is(&self, id: u64) -> bool {
        self.id.load(Ordering::Acquire) == id
    }

    /// Whether all that was read from it until now was `id`'s.
    pub(crate) fn was(&self, id: u64) -> bool {
        fence(Ordering::Acquire);
        self.id.load(Ordering::Relaxed) == id
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { segments: [const { OnceCell::new() }; SEGMENTS], free: Mutex::default() }
    }
}

impl<T: Default> Table<T> {
    /// Takes a place and gives it a new id. `prepare` sets the entry up before anybody can find it.
    /// `None` when the table is full.
    pub(crate) fn insert(&self, prepare: impl FnOnce(u64, &T)) -> Option<u64> {
        let place = {
            let mut free = self.free.lock();
            match free.places.pop() {
                Some(place) => place,
                None if free.next < PLACES => {
                    free.next += 1;
                    free.next - 1
                }
                None => return None,
            }
        };
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed) % SERIALS;
        let id = (serial << PLACE_BITS) | u64::from(place);
        let (segment, offset) = locate(place);
        let entries = self.segments.get(segment)?.get_or_init(|| {
            let size = if segment == 0 { FIRST } else { FIRST << (segment - 1) };
            (0..size).map(|_| Entry { id: AtomicU64::new(0), value: T::default() }).collect()
        });
        let entry = entries.get(offset)?;
        // Who reads what `prepare` writes sees also that the entry is the last owner's no more: `Entry::was`.
        fence(Ordering::Release);
        prepare(id, &entry.value);
        entry.id.store(id, Ordering::Release);
        Some(id)
    }

    /// The entry of this id, unless it is stale.
    #[inline]
    pub(crate) fn get(&self, id: u64) -> Option<&Entry<T>> {
        let (segment, offset) = locate((id & u64::from(PLACES - 1)) as u32);
        let entry = self.segments.get(segment)?.get()?.get(offset)?;
        (id != 0 && entry.is(id)).then_some(entry)
    }

    /// Calls `f` with every entry that is somebody's, and its id, which may be stale by then.
    pub(crate) fn each(&self, mut f: impl FnMut(u64, &T)) {
        for entry in self.segments.iter().filter_map(OnceCell::get).flatten() {
            let id = entry.id.load(Ordering::Acquire);
            if id != 0 {
                f(id, &entry.value);
            }
        }
    }

    /// Calls `f` with the entry of this id while its place can't become another's: for writes that
    /// don't carry their owner's tag. Takes a lock; not for the hot path.
    pub(crate) fn with<R>(&self, id: u64, f: impl FnOnce(&T) -> R) -> Option<R> {
        let _no_reuse = self.free.lock();
        self.get(id).map(|entry| f(&entry.value))
    }

    /// Makes the id stale and its place free; false when it was stale already.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let Some(entry) = self.get(id) else { return false };
        if entry.id.compare_exchange(id, 0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return false;
        }
        self.free.lock().places.push((id & u64::from(PLACES - 1)) as u32);
        true
    }
}

/// An id without an entry.
pub(crate) fn lone() -> u64 {
    (SERIAL.fetch_add(1, Ordering::Relaxed) % SERIALS) << PLACE_BITS
}

/// An id's serial number, 39 bits.
pub(crate) const fn serial(id: u64) -> u64 {
    id >> PLACE_BITS
}

#[inline]
fn locate(place: u32) -> (usize, usize) {
    if place < FIRST {
        return (0, place as usize);
    }
    let segment = place.ilog2() - FIRST.ilog2() + 1;
    (segment as usize, (place - (FIRST << (segment - 1))) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_a_segment() {
        let mut expected = (0, 0);
        for place in 0..10_000 {
            assert_eq!(locate(place), expected, "{place}");
            expected.1 += 1;
            let size = if expected.0 == 0 { FIRST } else { FIRST << (expected.0 - 1) };
            if expected.1 == size as usize {
                expected = (expected.0 + 1, 0);
            }
        }
        assert_eq!(locate(PLACES - 1).0, SEGMENTS - 1);
    }

    #[test]
    fn an_id_is_positive_unique_and_stale_after_removal() {
        let table: Table<AtomicU64> = Table::default();
        let first = table.insert(|id, word| word.store(id, Ordering::Relaxed)).unwrap();
        assert_eq!(table.get(first).unwrap().value.load(Ordering::Relaxed), first);
        assert!(first < 1 << 63);
        assert!(table.remove(first) && !table.remove(first));
        assert!(table.get(first).is_none());
        let second = table.insert(|_, _| ()).unwrap();
        assert_ne!(first, second);
        assert_eq!(first & 0xff_ffff, second & 0xff_ffff, "the place is used again");
        assert!(table.get(first).is_none() && table.get(second).is_some());
        assert!(table.get(0).is_none() && table.get(u64::MAX).is_none());
    }
}
