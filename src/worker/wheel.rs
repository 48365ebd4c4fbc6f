//! Coarse timers: deadlines in a ring of ticks.

use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(50);
/// A deadline further away than this many ticks waits in the farthest slot and is put back.
const SLOTS: usize = 256;

/// What a client is to be looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Its end: the close period, the lingering.
    End,
    /// The heartbeat. There is at most one, while the client is open.
    Beat,
    /// Its rate limit's second is over.
    Rate,
    /// The message that it is sent in parts. There is at most one.
    Part,
}

/// A timer that has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub(crate) id: u64,
    pub(crate) place: u32,
    pub(crate) timer: Timer,
}

/// Deadlines of clients, named by place and id. Fires up to one tick late, never early; who is told
/// looks at the deadline itself, which may have moved.
#[derive(Debug)]
pub(crate) struct Wheel {
    slots: Vec<Vec<Due>>,
    /// Which slots hold any.
    filled: [u64; SLOTS / 64],
    /// The tick that `origin` plus this many ticks begins has not fired yet.
    cursor: u64,
    origin: Instant,
    count: usize,
}

impl Wheel {
    pub(crate) fn new(now: Instant) -> Self {
        Self { slots: vec![Vec::new(); SLOTS], filled: [0; SLOTS / 64], cursor: 0, origin: now, count: 0 }
    }

    fn tick_of(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin);
        since.as_nanos().div_ceil(TICK.as_nanos()) as u64
    }

    pub(crate) fn insert(&mut self, timer: Timer, deadline: Instant, place: u32, id: u64) {
        let tick = self.tick_of(deadline).clamp(self.cursor, self.cursor + SLOTS as u64 - 1);
        if let Some(slot) = self.slots.get_mut(tick as usize % SLOTS) {
            slot.push(Due { id, place, timer });
            self.count += 1;
            self.mark(tick, true);
        }
    }

    /// Moves all that may be due into `due`.
    pub(crate) fn expire(&mut self, now: Instant, due: &mut Vec<Due>) {
        let until = (now.saturating_duration_since(self.origin).as_nanos() / TICK.as_nanos()) as u64;
        // After a long sleep every slot is passed once, not once for each lap.
        self.cursor = self.cursor.max((until + 1).saturating_sub(SLOTS as u64));
        while self.cursor <= until {
            if self.count > 0
                && let Some(slot) = self.slots.get_mut(self.cursor as usize % SLOTS)
            {
                self.count -= slot.len();
                due.append(slot);
                self.mark(self.cursor, false);
            }
            self.cursor += 1;
        }
    }

    fn mark(&mut self, tick: u64, filled: bool) {
        let slot = tick as usize % SLOTS;
        if let Some(word) = self.filled.get_mut(slot / 64) {
            let bit = 1 << (slot % 64);
            *word = if filled { *word | bit } else { *word & !bit };
        }
    }

    /// The first tick from the cursor on whose slot holds anything. A turn asks for it each time.
    fn first_filled(&self) -> Option<u64> {
        let start = self.cursor as usize % SLOTS;
        let words = self.filled.len();
        // The word of the cursor comes first and last: what lies before the cursor is a lap ahead.
        (0..=words).find_map(|ahead| {
            let index = (start / 64 + ahead) % words;
            let below = (1u64 << (start % 64)) - 1;
            let word = *self.filled.get(index)?;
            let word = match ahead {
                0 => word & !below,
                ahead if ahead == words => word & below,
                _ => word,
            };
            let slot = (word != 0).then(|| index * 64 + word.trailing_zeros() as usize)?;
            Some(self.cursor + ((slot + SLOTS - start) % SLOTS) as u64)
        })
    }

    /// How long until [`Wheel::expire`] has something to do.
    pub(crate) fn next(&self, now: Instant) -> Option<Duration> {
        if self.count == 0 {
            return None;
        }
        let ahead = self.first_filled()?;
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
        due.into_iter().map(|due: Due| due.place).collect()
    }

    #[test]
    fn a_deadline_fires_once_within_a_tick_and_never_early() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        assert_eq!(wheel.next(start), None);
        for (place, ms) in [(1, 0u64), (2, 49), (3, 50), (4, 3000)] {
            wheel.insert(Timer::End, start + Duration::from_millis(ms), place, 0);
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
        wheel.insert(Timer::End, start + Duration::from_secs(3600), 1, 0);
        let wait = wheel.next(start).unwrap();
        assert!(wait <= TICK * SLOTS as u32, "{wait:?}");
        assert_eq!(fired(&mut wheel, start + wait), [1]);
    }

    #[test]
    fn the_next_deadline_is_found_wherever_the_cursor_stands() {
        for offset in 0..2 * SLOTS as u32 {
            for ahead in [0, 1, 63, 64, 65, 127, 200, SLOTS as u32 - 1] {
                let start = Instant::now();
                let mut wheel = Wheel::new(start);
                let now = start + TICK * offset;
                assert_eq!(fired(&mut wheel, now), []);
                wheel.insert(Timer::End, now + TICK * (ahead + 1), 1, 0);
                assert_eq!(wheel.next(now), Some(TICK * (ahead + 1)).min(Some(TICK * SLOTS as u32)));
                assert_eq!(fired(&mut wheel, now + TICK * (ahead + 1)), [1], "{offset} {ahead}");
                assert_eq!(wheel.next(now), None);
            }
        }
    }
}
