//! A compressed message that is told in chunks: inflated as it arrives, no further than it is asked for.

use super::deflate::Codec;
use super::{Failure, Limits};

/// What a compressed message lacks at its end (RFC 7692 §7.2.2).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Where such a message stands.
#[derive(Debug, Default)]
pub(super) struct Inflating {
    /// What has come of it, from `at` on to be inflated yet.
    packed: Vec<u8>,
    at: usize,
    /// How much of it has come, and how long that is inflated.
    came: u64,
    made: u64,
    /// Its last byte has come; and the tail behind it.
    is_whole: bool,
    has_tail: bool,
    /// There may be more without further input.
    is_full: bool,
    /// What was inflated before its beginning was told, and how much of that was told since.
    first: Vec<u8>,
    told: usize,
}

impl Inflating {
    /// Takes what has come next; with `last`, nothing will come behind it.
    pub(super) fn push(&mut self, piece: &[u8], last: bool) {
        self.came += piece.len() as u64;
        self.packed.extend_from_slice(piece);
        self.is_whole |= last;
    }

    /// Appends what it goes on with, up to `room` bytes.
    pub(super) fn inflate(
        &mut self,
        codec: &mut Codec,
        out: &mut Vec<u8>,
        room: usize,
        limits: &Limits,
    ) -> Result<(), Failure> {
        let end = out.len() + room;
        loop {
            let rest = self.packed.get(self.at..).unwrap_or_default();
            let before = out.len();
            let (taken, is_full) = codec.inflate_part(rest, out, end - before)?;
            self.at += taken;
            self.is_full = is_full;
            self.made += (out.len() - before) as u64;
            if self.made > codec.inflated_limit(self.came, limits.message) {
                return Err(Failure::too_big("message too big"));
            }
            if is_full || self.at < self.packed.len() {
                return Ok(());
            }
            (self.packed, self.at) = (Vec::new(), 0);
            if !self.is_whole || self.has_tail {
                return Ok(());
            }
            self.packed.extend_from_slice(&TAIL);
            self.has_tail = true;
        }
    }

    /// Whether it may go on without further input.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Whether all of it was inflated.
    pub(super) fn is_over(&self) -> bool {
        self.has_tail && !self.is_full && self.packed.is_empty()
    }

    /// Keeps what was inflated until the message's beginning is told.
    pub(super) fn keep_first(&mut self, first: &mut Vec<u8>) {
        self.first = first.clone();
        first.clear();
    }

    /// Whether some of that is still to be told.
    pub(super) fn has_first(&mut self) -> bool {
        if self.told == self.first.len() {
            (self.first, self.told) = (Vec::new(), 0);
        }
        !self.first.is_empty()
    }

    /// The next of that, `most` bytes at most.
    pub(super) fn next_of_first(&mut self, most: usize) -> &[u8] {
        let from = self.told;
        self.told = self.first.len().min(from + most);
        self.first.get(from..self.told).unwrap_or_default()
    }

    /// How much memory it takes.
    pub(super) fn size(&self) -> usize {
        self.packed.capacity() + self.first.capacity()
    }
}
