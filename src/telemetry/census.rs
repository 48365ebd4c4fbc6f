//! What a server counts of all that came to it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::counters::ServerInfo;

/// The counters as the front counts them.
#[derive(Debug, Default)]
pub(crate) struct Census {
    pub(crate) waiting: AtomicU64,
    pub(crate) connections_total: AtomicU64,
    pub(crate) connections_refused: AtomicU64,
    pub(crate) address_refused: AtomicU64,
    pub(crate) requests_total: AtomicU64,
    pub(crate) requests_refused: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) handshake_timeouts: AtomicU64,
    pub(crate) handshakes_left: AtomicU64,
    pub(crate) request_timeouts: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) bad_requests: AtomicU64,
    pub(crate) header_timeouts: AtomicU64,
    pub(crate) bodies_refused: AtomicU64,
    pub(crate) body_timeouts: AtomicU64,
    pub(crate) idle_timeouts: AtomicU64,
    pub(crate) write_timeouts: AtomicU64,
}

impl Census {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the counters as they are now.
    pub(crate) fn fill(&self, info: &mut ServerInfo) {
        for (to, counter) in [
            (&mut info.waiting, &self.waiting),
            (&mut info.connections_total, &self.connections_total),
            (&mut info.connections_refused, &self.connections_refused),
            (&mut info.address_refused, &self.address_refused),
            (&mut info.requests_total, &self.requests_total),
            (&mut info.requests_refused, &self.requests_refused),
            (&mut info.accepted, &self.accepted),
            (&mut info.rejected, &self.rejected),
            (&mut info.handshake_timeouts, &self.handshake_timeouts),
            (&mut info.handshakes_left, &self.handshakes_left),
            (&mut info.request_timeouts, &self.request_timeouts),
            (&mut info.refused, &self.refused),
            (&mut info.bad_requests, &self.bad_requests),
            (&mut info.header_timeouts, &self.header_timeouts),
            (&mut info.bodies_refused, &self.bodies_refused),
            (&mut info.body_timeouts, &self.body_timeouts),
            (&mut info.idle_timeouts, &self.idle_timeouts),
            (&mut info.write_timeouts, &self.write_timeouts),
        ] {
            *to = counter.load(Ordering::Relaxed);
        }
    }
}

/// Tells of a shortage once in a while: an attack must not fill the log.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    /// When it was last told of, in nanoseconds.
    told: AtomicU64,
    missed: AtomicU64,
}

impl Alarm {
    const EVERY: u64 = 1_000_000_000;

    /// Whether to tell now, and how many times have gone by untold.
    pub(crate) fn ring(&self, now_ns: u64) -> Option<u64> {
        let told = self.told.load(Ordering::Relaxed);
        let due = now_ns.saturating_sub(told) >= Self::EVERY;
        if due && self.told.compare_exchange(told, now_ns, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return Some(self.missed.swap(0, Ordering::Relaxed));
        }
        self.missed.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_rings_once_a_second_and_tells_what_it_passed_over() {
        let alarm = Alarm::default();
        let second = Alarm::EVERY;
        assert_eq!(alarm.ring(5 * second), Some(0));
        assert_eq!(alarm.ring(5 * second + 1), None);
        assert_eq!(alarm.ring(6 * second - 1), None);
        assert_eq!(alarm.ring(6 * second), Some(2));
        assert_eq!(alarm.ring(9 * second), Some(0));
    }
}
