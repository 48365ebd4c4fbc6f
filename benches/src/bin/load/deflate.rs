//! Compressed messages (RFC 7692), as a client makes and takes them.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

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
