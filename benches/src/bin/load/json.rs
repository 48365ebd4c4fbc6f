//! The message whose compression is measured.

/// JSON of `size` bytes, as services send it: records that are alike; each number's begins differently.
pub(crate) fn json(number: usize, size: usize) -> Vec<u8> {
    const NAMES: [&str; 7] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];
    let mut text = format!("{{\"update\":{number},\"items\":[");
    let mut state = 88_172_645_463_325_252_u64 ^ number as u64;
    while text.len() < size {
        for (by, left) in [(13, true), (7, false), (17, true)] {
            state ^= if left { state << by } else { state >> by };
        }
        text += &format!(
            "{{\"id\":{},\"user\":\"{}\",\"score\":{}.{},\"online\":{},\"room\":\"room-{}\"}},",
            state % 100_000,
            NAMES[(state >> 20) as usize % NAMES.len()],
            (state >> 30) % 1000,
            (state >> 40) % 100,
            state & 1 == 0,
            (state >> 50) % 10
        );
    }
    text.truncate(size);
    text.into_bytes()
}
