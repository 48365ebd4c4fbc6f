//! Our pings: what they carry, so that a pong tells what it answers, and how many are not answered.

use std::hash::{BuildHasher, RandomState};

use once_cell::sync::OnceCell;

/// A ping of ours: its number, so that a pong acknowledges that one and all before it; how many of them were
/// the heartbeat's; the caller's ticket; when it left. And a seal, because the application trusts its
/// tickets (they may be its pointers) and the peer could answer with another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ping {
    pub(super) number: u64,
    pub(super) beats: u32,
    /// Of the heartbeat: nobody is told of its answer.
    pub(super) is_beat: bool,
    pub(super) ticket: u64,
    pub(super) sent_ns: u64,
}

/// SipHash under a key that only this process knows.
static SEAL: OnceCell<RandomState> = OnceCell::new();

const WORDS: usize = 5;

impl Ping {
    fn words(&self) -> [u64; WORDS - 1] {
        [self.number, u64::from(self.beats) << 1 | u64::from(self.is_beat), self.ticket, self.sent_ns]
    }

    /// The payload of a ping to this client.
    pub(super) fn seal(&self, client: u64) -> [u8; 8 * WORDS] {
        let mut bytes = [0; 8 * WORDS];
        let words = self.words().into_iter().chain([seal(client, self.words())]);
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// What a pong of this client carries, if it is a ping of ours to it.
    pub(super) fn open(client: u64, payload: &[u8]) -> Option<Self> {
        let bytes: &[u8; 8 * WORDS] = payload.try_into().ok()?;
        let mut words = bytes.chunks_exact(8).map(|w| w.try_into().map(u64::from_be_bytes).unwrap_or(0));
        let mut word = || words.next().unwrap_or(0);
        let said @ [number, beats, ticket, sent_ns] = [word(), word(), word(), word()];
        (word() == seal(client, said)).then_some(Self {
            number,
            beats: (beats >> 1) as u32,
            is_beat: beats & 1 != 0,
            ticket,
            sent_ns,
        })
    }
}

/// A client's pings. The heartbeat's are among them, and are counted apart too: what the application pings
/// on its own account costs nobody the connection.
#[derive(Debug, Default)]
pub(super) struct Pings {
    sent: u64,
    /// The number of the latest that was answered.
    answered: u64,
    beats: u32,
    answered_beats: u32,
    pub(super) last_beat_ns: u64,
}

impl Pings {
    pub(super) fn next(&mut self, ticket: u64, is_beat: bool, now_ns: u64) -> Ping {
        self.sent += 1;
        if is_beat {
            self.beats = self.beats.wrapping_add(1);
            self.last_beat_ns = now_ns;
        }
        Ping { number: self.sent, beats: self.beats, is_beat, ticket, sent_ns: now_ns }
    }

    /// Takes the answer to a ping; false when it was answered already.
    pub(super) fn answer(&mut self, ping: &Ping) -> bool {
        let is_new = ping.number > self.answered && ping.number <= self.sent;
        if is_new {
            self.answered = ping.number;
            self.answered_beats = ping.beats;
        }
        is_new
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) fn unanswered(&self) -> u64 {
        self.sent - self.answered
    }

    pub(super) fn unanswered_beats(&self) -> u64 {
        self.beats.wrapping_sub(self.answered_beats).into()
    }
}

fn seal(client: u64, words: [u64; WORDS - 1]) -> u64 {
    SEAL.get_or_init(RandomState::new).hash_one((client, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_acknowledges_every_ping_before_it_of_either_kind() {
        let mut pings = Pings::default();
        let [first, _beat, third, _] = [false, true, false, true].map(|is_beat| pings.next(5, is_beat, 1));
        assert_eq!((pings.unanswered(), pings.unanswered_beats()), (4, 2));
        assert!(pings.answer(&third) && !pings.answer(&third) && !pings.answer(&first));
        assert_eq!((pings.unanswered(), pings.unanswered_beats()), (1, 1));
    }

    #[test]
    fn only_our_own_ping_to_that_very_client_opens() {
        let ping = Ping { number: 9, beats: u32::MAX, is_beat: true, ticket: u64::MAX, sent_ns: 3 };
        let payload = ping.seal(7);
        assert_eq!(Ping::open(7, &payload), Some(ping));
        assert_eq!(Ping::open(8, &payload), None);
        assert_eq!(Ping::open(7, &payload[..39]), None);
        for at in 0..payload.len() {
            let mut forged = payload;
            forged[at] ^= 1;
            assert_eq!(Ping::open(7, &forged), None, "byte {at}");
        }
    }
}
