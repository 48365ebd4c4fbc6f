//! Coarse timers: deadlines in a ring of ticks.

use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(50);
/// A deadline further away than this many ticks waits in the farthest slot and is put back.
const SLOTS: usize = 256;

/// Deadlines of clients, named by place and id. Fires up to one tick late, never early; who is told
/// looks at the deadline itself, which may have moved.
#[derive(Debug)]
pub(crate) struct Wheel {
    slots: Vec<Vec<(u32, u64)>>,
    /// The tick that `origin` plus this many ticks begins has not fired yet.
    cursor: u64,
    origin: Instant,
    count: usize,
}

impl Wheel {
    pub(crate) fn new(now: Instant) -> Self {
        Self { slots: vec![Vec::new(); SLOTS], cursor: 0, origin: now, count: 0 }
    }

    fn tick_of(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin);
        since.as_nanos().div_ceil(TICK.as_nanos()) as u64
    }

    pub(crate) fn insert(&mut self, deadline: Instant, place: u32, id: u64) {
        let tick = self.tick_of(deadline).clamp(self.cursor, self.cursor + SLOTS as u64 - 1);
        if let Some(slot) = self.slots.get_mut(tick as usize % SLOTS) {
            slot.push((place, id));
            self.count += 1;
        }
    }

    /// Moves all that may be due into `due`.
    pub(crate) fn expire(&mut self, now: Instant, due: &mut Vec<(u32, u64)>) {
        let until = (now.saturating_duration_since(self.origin).as_nanos() / TICK.as_nanos()) as u64;
        // After a long sleep every slot is passed once, not once for each lap.
        self.cursor = self.cursor.max((until + 1).saturating_sub(SLOTS as u64));
        while self.cursor <= until {
            if self.count > 0
                && let Some(slot) = self.slots.get_mut(self.cursor as usize % SLOTS)
            {
                self.count -= slot.len();
                due.append(slot);
            }
            self.cursor += 1;
        }
    }

    /// How long until [`Wheel::expire`] has something to do.
    pub(crate) fn next(&self, now: Instant) -> Option<Duration> {
        if self.count == 0 {
            return None;
        }
        let ahead = (self.cursor..self.cursor + SLOTS as u64)
            .find(|tick| self.slots.get(*tick as usize % SLOTS).is_some_and(|slot| !slot.is_empty()))?;
        let at = self.origin + Duration::from_nanos(TICK.as_nanos() as u64 * ahead);
        Some(at.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(wheel: &mut Wheel, now: Instant) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.expire(now, &mut due);
        due.into_iter().map(|(place, _)| place).collect()
    }

    #[test]
    fn a_deadline_fires_once_within_a_tick_and_never_early() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        assert_eq!(wheel.next(start), None);
        for (place, ms) in [(1, 0u64), (2, 49), (3, 50), (4, 3000)] {
            wheel.insert(start + Duration::from_millis(ms), place, 0);
        }
        assert_eq!(fired(&mut wheel, start), [1]);
        assert_eq!(fired(&mut wheel, start + Duration::from_millis(49)), []);
        assert_eq!(fired(&mut wheel, start + Duration::from_millis(60)), [2, 3]);
        let wait = wheel.next(start + Duration::from_millis(60)).unwrap();
        assert_eq!(wait, Duration::from_millis(2940));
        assert_eq!(fired(&mut wheel, start + Duration::from_millis(2999)), []);
        assert_eq!(fired(&mut wheel, start + Duration::from_secs(100_000)), [4]);
        assert_eq!(wheel.next(start), None);
    }

    #[test]
    fn a_far_deadline_is_told_early_enough_to_be_put_back() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        wheel.insert(start + Duration::from_secs(3600), 1, 0);
        let wait = wheel.next(start).unwrap();
        assert!(wait <= TICK * SLOTS as u32, "{wait:?}");
        assert_eq!(fired(&mut wheel, start + wait), [1]);
    }
}
