//! Compressed messages (RFC 7692), as a client makes and takes them.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

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

/// A message that stands for itself.
pub(crate) fn pack(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 64);
    let packed =
        Compress::new(Compression::new(6), false).compress_vec(message, &mut out, FlushCompress::Sync);
    assert!(packed.is_ok() && out.ends_with(&TAIL), "a message does not fit");
    out.truncate(out.len() - TAIL.len());
    out
}

/// Takes a server's messages, which may refer to those before.
pub(crate) struct Inflater(Decompress);

impl Inflater {
    pub(crate) fn new() -> Self {
        Inflater(Decompress::new(false))
    }

    pub(crate) fn inflate(&mut self, message: &[u8]) -> Result<Vec<u8>, String> {
        let mut packed = message.to_vec();
        packed.extend(TAIL);
        let mut out = Vec::new();
        let mut at = 0;
        while at < packed.len() {
            out.reserve(4096);
            let before = (self.0.total_in(), self.0.total_out());
            let status = self.0.decompress_vec(&packed[at..], &mut out, FlushDecompress::Sync);
            at += (self.0.total_in() - before.0) as usize;
            match status {
                // What a server ends within a message goes on with another stream.
                Ok(flate2::Status::StreamEnd) => self.0.reset(false),
                Ok(_) if (self.0.total_in(), self.0.total_out()) != before => {}
                Ok(_) => break,
                Err(error) => return Err(format!("a message can't be inflated: {error}")),
            }
        }
        Ok(out)
    }
}
