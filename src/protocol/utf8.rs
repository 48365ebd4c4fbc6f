//! UTF-8 (RFC 6455 §8.1), whole or as it arrives.

/// Whether a whole text is UTF-8.
pub(crate) fn is_valid(bytes: &[u8]) -> bool {
    simdutf8::basic::from_utf8(bytes).is_ok()
}

/// Checks a text that arrives in pieces, and refuses it at the first byte that can't be right.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// The beginning of a character whose end has not come yet.
    partial: [u8; 4],
    length: u8,
}

impl Stream {
    /// Takes the next piece; false when the text is not UTF-8.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> bool {
        while self.length > 0 {
            let Some((&first, rest)) = bytes.split_first() else { return true };
            let end = usize::from(self.length) + 1;
            let Some(place) = self.partial.get_mut(usize::from(self.length)) else { return false };
            *place = first;
            bytes = rest;
            match std::str::from_utf8(self.partial.get(..end).unwrap_or_default()) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_none() => self.length += 1,
                Err(_) => return false,
            }
        }
        match simdutf8::compat::from_utf8(bytes) {
            Ok(_) => true,
            Err(error) if error.error_len().is_some() => false,
            Err(error) => {
                let tail = bytes.get(error.valid_up_to()..).unwrap_or_default();
                // An unfinished character is at most three bytes long.
                for (place, byte) in self.partial.iter_mut().zip(tail) {
                    *place = *byte;
                }
                self.length = tail.len().min(3) as u8;
                true
            }
        }
    }

    /// Whether the text may end here, and makes ready for the next one.
    pub(crate) fn finish(&mut self) -> bool {
        std::mem::take(&mut self.length) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_may_be_cut_anywhere() {
        let text = "κόσμε – 𝄞 and ASCII, ünd so weiter \u{10ffff}".as_bytes();
        for one in 0..=text.len() {
            for two in one..=text.len() {
                let mut stream = Stream::default();
                assert!(
                    stream.push(&text[..one]) && stream.push(&text[one..two]) && stream.push(&text[two..])
                );
                assert!(stream.finish());
            }
        }
    }

    #[test]
    fn what_can_not_become_right_is_refused_at_once() {
        for bad in [&b"\xf4\x90"[..], b"\xed\xa0", b"\xc0", b"\xf8", b"\xe0\x80", b"\xce\xba\xff", b"\x80"] {
            let mut whole = Stream::default();
            assert!(!whole.push(bad), "{bad:x?} in one piece");
            let mut pieces = Stream::default();
            assert!(!bad.iter().all(|byte| pieces.push(&[*byte])), "{bad:x?} byte by byte");
        }
    }

    #[test]
    fn a_text_that_ends_in_half_a_character_is_not_finished() {
        let mut stream = Stream::default();
        assert!(stream.push(b"\xf0\x9d\x84"));
        assert!(!stream.finish());
        assert!(stream.push(b"next") && stream.finish());
    }
}
