//! How much is read from one client: by its receive window and by its rate limit.

use crate::config;

/// The messages that were handed over and not yet dealt with.
#[derive(Debug, Default)]
pub(super) struct InHand {
    bytes: u64,
    messages: u64,
}

impl InHand {
    #[inline]
    pub(super) fn add(&mut self, length: usize) {
        self.bytes += length as u64;
        self.messages += 1;
    }

    /// A chunk: its message counts when it has ended, so that one under way can't fill the window by itself.
    pub(super) fn add_chunk(&mut self, length: usize) {
        self.bytes += length as u64;
    }

    pub(super) fn add_end(&mut self) {
        self.messages += 1;
    }

    /// How many bytes more there may be in hand.
    pub(super) fn room(&self, window: &config::Window) -> usize {
        usize::try_from(window.bytes.saturating_sub(self.bytes)).unwrap_or(usize::MAX)
    }

    pub(super) fn give_back(&mut self, bytes: u64, messages: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.messages = self.messages.saturating_sub(messages);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    #[inline]
    pub(super) fn fills(&self, window: &config::Window) -> bool {
        self.bytes >= window.bytes || self.messages >= window.messages
    }
}

/// What a client has sent in its current second, which begins with the first bytes after the last one's end.
#[derive(Debug, Default)]
pub(super) struct Spent {
    since_ns: u64,
    bytes: u64,
    frames: u64,
}

const SECOND: u64 = 1_000_000_000;

impl Spent {
    /// Begins a new second if the last is over.
    pub(super) fn renew(&mut self, now_ns: u64) {
        if now_ns >= self.until_ns() {
            *self = Self { since_ns: now_ns, bytes: 0, frames: 0 };
        }
    }

    pub(super) fn add_bytes(&mut self, count: usize) {
        self.bytes += count as u64;
    }

    #[inline]
    pub(super) fn add_frames(&mut self, count: u64) {
        self.frames += count;
    }

    /// How many bytes may still be read in this second.
    pub(super) fn bytes_left(&self, rate: &config::Rate) -> usize {
        usize::try_from(rate.bytes.saturating_sub(self.bytes)).unwrap_or(usize::MAX)
    }

    /// Whether no frame may be looked at any more in this second.
    #[inline]
    pub(super) fn frames_are_out(&self, rate: &config::Rate) -> bool {
        self.frames >= rate.frames
    }

    pub(super) fn is_over(&self, rate: &config::Rate) -> bool {
        self.bytes > rate.bytes || self.frames > rate.frames
    }

    /// When the second is over.
    pub(super) fn until_ns(&self) -> u64 {
        self.since_ns + SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Rate, RatePolicy, Window};

    #[test]
    fn a_window_is_full_at_either_bound_and_opens_with_what_is_given_back() {
        let window = Window { bytes: 100, messages: 3, by_grants: true };
        let mut in_hand = InHand::default();
        in_hand.add(500);
        assert!(in_hand.fills(&window));
        in_hand.give_back(401, 0);
        assert!(!in_hand.fills(&window));
        in_hand.add(0);
        in_hand.add(0);
        assert!(in_hand.fills(&window), "three messages");
        in_hand.give_back(u64::MAX, u64::MAX);
        assert!(!in_hand.fills(&window), "more than was taken is no credit");
        in_hand.add(100);
        assert!(in_hand.fills(&window));
    }

    #[test]
    fn a_second_begins_with_its_first_bytes() {
        let rate = Rate { bytes: 10, frames: 2, policy: RatePolicy::Pause };
        let mut spent = Spent::default();
        spent.renew(5 * SECOND + 7);
        spent.add_bytes(10);
        spent.add_frames(2);
        assert_eq!(spent.bytes_left(&rate), 0);
        assert!(spent.frames_are_out(&rate) && !spent.is_over(&rate));
        spent.renew(6 * SECOND + 6);
        assert!(spent.frames_are_out(&rate));
        assert_eq!(spent.until_ns(), 6 * SECOND + 7);
        spent.renew(6 * SECOND + 7);
        assert_eq!(spent.bytes_left(&rate), 10);
        spent.add_bytes(11);
        assert!(!spent.frames_are_out(&rate) && spent.is_over(&rate));
    }
}
