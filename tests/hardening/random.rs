//! Random numbers that come again with the same seed.

/// xorshift64.
pub(crate) struct Random(u64);

impl Random {
    /// Each `stream` of one seed has numbers of its own.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed ^ (stream + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        // Seeds that are alike begin alike.
        for _ in 0..16 {
            random.below(1);
        }
        random
    }

    /// From 0 to `bound` - 1.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
