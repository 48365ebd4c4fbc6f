//! One client's messages, compressed and inflated (RFC 7692 §7.2).

use super::super::Failure;
use super::negotiation::Agreement;
use super::shared;
use crate::sys::{Corrupt, Deflater, Inflater};

/// How an endpoint compresses, whatever was agreed upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effort {
    /// 1, fast, to 9, small.
    pub(crate) level: u8,
    /// 1 to 9: of a context that is taken over, how much memory it has besides its window.
    pub(crate) memory: u8,
    /// A message inflates to at most so many times its compressed size; 0: there is no such limit.
    pub(crate) ratio: u32,
}

/// What one client agreed upon, and its contexts where it has any.
#[derive(Debug)]
pub struct Codec {
    agreement: Agreement,
    effort: Effort,
    contexts: Option<Box<Contexts>>,
}

/// Made at the first message that needs one of them.
#[derive(Debug, Default)]
struct Contexts {
    deflater: Option<Deflater>,
    inflater: Option<Inflater>,
    /// The client was sent something that our compressor does not know: what comes next must not refer to
    /// what was before. Done when it does come, because most such clients are sent the like again.
    stale: bool,
}

/// Below this, a ratio tells nothing of a message.
const RATIO_FREE: u64 = 64 << 10;

impl Codec {
    pub(crate) fn new(agreement: Agreement, effort: Effort) -> Self {
        Self { agreement, effort, contexts: None }
    }

    /// For the fuzz targets, which come from outside of the crate.
    #[cfg(fuzzing)]
    pub fn fuzzed(takeover: bool, ratio: u32) -> Self {
        let agreement = Agreement {
            server_bits: 15,
            client_bits: 15,
            server_takeover: takeover,
            client_takeover: takeover,
        };
        Self::new(agreement, Effort { level: 6, memory: 8, ratio })
    }

    #[cfg(test)]
    fn agreement(&self) -> Agreement {
        self.agreement
    }

    /// Inflates a whole message and appends it to `out`: 1009 when it would be longer than `limit`, 1007 when
    /// it is no DEFLATE data.
    pub(crate) fn inflate(&mut self, message: &[u8], out: &mut Vec<u8>, limit: u64) -> Result<(), Failure> {
        let limit = self.inflated_limit(message.len() as u64, limit);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let inflated = if self.agreement.client_takeover {
            let contexts = self.contexts.get_or_insert_default();
            if contexts.inflater.is_none() {
                contexts.inflater = Inflater::new(self.agreement.client_bits.max(9));
            }
            match &mut contexts.inflater {
                Some(inflater) => inflater.inflate(message, out, limit),
                None => Err(Corrupt::Memory),
            }
        } else {
            shared::inflate(message, out, limit)
        };
        inflated.map_err(failure)
    }

    /// How long a message may be of which so many bytes have come, where `limit` is the longest.
    pub(crate) fn inflated_limit(&self, came: u64, limit: u64) -> u64 {
        match u64::from(self.effort.ratio) {
            0 => limit,
            ratio => limit.min(came.saturating_mul(ratio).max(RATIO_FREE)),
        }
    }

    /// Appends what a part of a message inflates to, `room` bytes at most; see [`Inflater::inflate_part`]. The
    /// context is the client's own until [`Codec::end_inflate`].
    pub(crate) fn inflate_part(
        &mut self,
        part: &[u8],
        out: &mut Vec<u8>,
        room: usize,
    ) -> Result<(usize, bool), Failure> {
        let contexts = self.contexts.get_or_insert_default();
        if contexts.inflater.is_none() {
            contexts.inflater = Inflater::new(self.agreement.client_bits.max(9));
        }
        let Some(inflater) = &mut contexts.inflater else { return Err(failure(Corrupt::Memory)) };
        inflater.inflate_part(part, out, room).map_err(failure)
    }

    /// The last part was inflated, with the tail that a message lacks: 1007 when it was cut.
    pub(crate) fn end_inflate(&mut self) -> Result<(), Failure> {
        let Some(inflater) = self.contexts.as_mut().and_then(|contexts| contexts.inflater.as_mut()) else {
            return Ok(());
        };
        inflater.end().map_err(failure)?;
        if !self.agreement.client_takeover {
            self.forget(|contexts| contexts.inflater = None);
        }
        Ok(())
    }

    /// Makes ready for a message that is compressed part by part; false when there is no memory for it.
    pub(crate) fn begin_deflate(&mut self) -> bool {
        let Effort { level, memory, .. } = self.effort;
        let contexts = self.contexts.get_or_insert_default();
        match &mut contexts.deflater {
            Some(deflater) if contexts.stale => deflater.reset(),
            Some(_) => {}
            none => *none = Deflater::new(level, self.agreement.server_bits, memory),
        }
        contexts.stale = false;
        contexts.deflater.is_some()
    }

    /// Appends a part of it, compressed so that the client can inflate all of it at once. With `last`, its end.
    pub(crate) fn deflate_part(&mut self, part: &[u8], last: bool, out: &mut Vec<u8>) {
        let deflater = self.contexts.as_mut().and_then(|contexts| contexts.deflater.as_mut());
        match deflater {
            Some(deflater) if last => deflater.deflate(part, out),
            Some(deflater) => deflater.deflate_part(part, out),
            None => {}
        }
        if last && !self.agreement.server_takeover {
            self.forget(|contexts| contexts.deflater = None);
        }
    }

    /// Lets go of a context that was for one message; without any, the client has no state at all.
    fn forget(&mut self, let_go: impl FnOnce(&mut Contexts)) {
        self.contexts.as_deref_mut().map(let_go);
        self.contexts.take_if(|contexts| contexts.deflater.is_none() && contexts.inflater.is_none());
    }

    /// Compresses a message for this client alone and appends it to `out`. False, and nothing appended, when
    /// it would not get smaller: then it goes out as it is.
    pub(crate) fn deflate(&mut self, message: &[u8], out: &mut Vec<u8>) -> bool {
        let before = out.len();
        if !self.agreement.server_takeover {
            return shared::deflate(message, self.shared_class(message.len()), self.effort.level, out);
        }
        let contexts = self.contexts.get_or_insert_default();
        if contexts.deflater.is_none() {
            let Effort { level, memory, .. } = self.effort;
            contexts.deflater = Deflater::new(level, self.agreement.server_bits, memory);
        }
        let Some(deflater) = &mut contexts.deflater else { return false };
        if std::mem::take(&mut contexts.stale) {
            deflater.reset();
        }
        deflater.deflate(message, out);
        if out.len() - before < message.len().max(1) {
            return true;
        }
        out.truncate(before);
        contexts.stale = true;
        false
    }

    /// Which of the frames that are compressed once for many fits this client.
    pub(crate) fn shared_class(&self, length: usize) -> SharedClass {
        SharedClass::of(&self.agreement, length)
    }

    /// This client is sent a message that was compressed for many.
    pub(crate) fn passed_by(&mut self) {
        if let Some(contexts) = &mut self.contexts {
            contexts.stale = true;
        }
    }

    pub(crate) fn level(&self) -> u8 {
        self.effort.level
    }

    #[cfg(test)]
    pub(crate) fn has_contexts(&self) -> bool {
        self.contexts.is_some()
    }
}

fn failure(corrupt: Corrupt) -> Failure {
    match corrupt {
        Corrupt::Data => Failure::data("not DEFLATE data"),
        Corrupt::TooLong => Failure::too_big("message too big"),
        Corrupt::Memory => Failure { code: 1011, reason: "out of memory" },
    }
}

/// What clients must have in common to be sent the same compressed frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SharedClass {
    /// The window that it may use.
    pub(crate) bits: u8,
    /// Whether its stream may end with the message (BFINAL): not where the client keeps a context, because
    /// some would let that end as well.
    pub(crate) ends: bool,
}

impl SharedClass {
    pub(crate) fn of(agreement: &Agreement, length: usize) -> Self {
        // In a message that is no longer than the window, nothing is too far back.
        let any = length <= 1 << agreement.server_bits;
        Self {
            bits: if any { super::negotiation::MAX_BITS } else { agreement.server_bits },
            ends: !agreement.server_takeover,
        }
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
