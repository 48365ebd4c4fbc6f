//! From a peer's bytes to messages and control frames.

use super::frame::{self, Header, MAX_HEADER, Opcode};
use super::inflating::Inflating;
use super::unfinished::Unfinished;
use super::{Codec, Failure, mask, reason, utf8};

/// What a peer may send. Lengths count payload bytes; a message's also after decompression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest message.
    pub message: u64,
    /// The longest frame.
    pub frame: u64,
    /// The most fragments of one message.
    pub fragments: u64,
    /// Binary messages are refused.
    pub text_only: bool,
}

/// What a peer said.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A whole message; text is valid UTF-8.
    Message {
        /// Binary rather than text.
        binary: bool,
        /// The payload.
        data: &'a [u8],
    },
    /// A ping, to be answered with the same payload.
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
    /// A Close frame's payload, not judged yet.
    Close(&'a [u8]),
    /// A message begins that comes in chunks: see [`Decoder::stream`].
    Begin {
        /// Binary rather than text.
        binary: bool,
    },
    /// What comes next of it. Text may be cut within a character; what has come of it may be UTF-8.
    Chunk(&'a [u8]),
    /// It has come to its end.
    End,
}

/// The longest chunk, and the longest message that is not worth cutting into chunks.
pub const MAX_CHUNK: usize = 64 << 10;

/// One peer's frames (RFC 6455 §5). Holds no buffer while nothing is unfinished.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a header whose end has not come.
    head: [u8; MAX_HEADER],
    head_length: u8,
    /// The frame whose payload is arriving.
    frame: Option<Frame>,
    /// The message whose frames are arriving.
    message: Option<Message>,
    /// The payload of an unfinished control frame.
    control: Vec<u8>,
    /// `message`, or `control`, was handed out and is to be forgotten at the next call.
    delivered: bool,
    /// There is something to tell that needs no input.
    behind: bool,
    /// The message has come whole, chunk by chunk, and its end is still to be told.
    ended: bool,
    /// How long a chunk may be; 0: messages come whole.
    chunk: usize,
    frames: u64,
}

#[derive(Debug)]
struct Frame {
    opcode: Opcode,
    fin: bool,
    mask: [u8; 4],
    left: u64,
}

#[derive(Debug)]
struct Message {
    binary: bool,
    compressed: bool,
    fragments: u64,
    text: utf8::Stream,
    /// It is told chunk by chunk.
    streamed: bool,
    /// That it begins was told.
    has_begun: bool,
    /// It is told chunk by chunk, and compressed.
    inflating: Option<Box<Inflating>>,
    /// How much of it has come.
    length: u64,
    data: Unfinished,
}

impl Decoder {
    /// Takes bytes off the front of `input`, unmasking them in place, up to the end of the first frame in
    /// them. Returns how many it took and what was said; `None` when it took them all and nothing is
    /// complete, or when the frame was a fragment and its message goes on.
    /// Frames with RSV1 are refused unless there is a codec (§5.2), which leaves what it makes of a message in
    /// `inflated`.
    pub fn next<'a>(
        &'a mut self,
        input: &'a mut [u8],
        limits: &Limits,
        codec: Option<&mut Codec>,
        inflated: &'a mut Vec<u8>,
    ) -> Result<(usize, Option<Item<'a>>), Failure> {
        self.rest();
        if self.behind {
            return Ok((0, self.catch_up(codec, limits, inflated)?));
        }
        let mut at = 0;
        if self.frame.is_none() {
            let (taken, header) = self.header(input.get(at..).unwrap_or_default())?;
            at += taken;
            let Some(header) = header else { return Ok((at, None)) };
            self.frames += 1;
            self.admit(&header, limits, codec.is_some())?;
            let length = usize::try_from(header.length).unwrap_or(usize::MAX);
            if let Some(end) = at.checked_add(length).filter(|end| *end <= input.len()) {
                if header.opcode.is_control() {
                    let payload = input.get_mut(at..end).unwrap_or_default();
                    mask::apply(payload, header.mask);
                    return Ok((end, Some(control(header.opcode, payload))));
                }
                if header.fin && self.message.is_none() && !self.cuts(&header) {
                    let payload = input.get_mut(at..end).unwrap_or_default();
                    mask::apply(payload, header.mask);
                    let binary = header.opcode == Opcode::Binary;
                    let data = match codec.filter(|_| header.rsv1) {
                        Some(codec) => inflate(codec, payload, inflated, limits)?,
                        None => payload,
                    };
                    if !binary && !utf8::is_valid(data) {
                        return Err(NOT_UTF8);
                    }
                    return Ok((end, Some(Item::Message { binary, data })));
                }
            }
            if let Some(item) = self.begin(&header) {
                return Ok((at, Some(item)));
            }
        }
        let Some(frame) = &mut self.frame else { return Ok((at, None)) };
        let mut available = (input.len() - at).min(usize::try_from(frame.left).unwrap_or(usize::MAX));
        let streamed = !frame.opcode.is_control() && self.message.as_ref().is_some_and(|m| m.streamed);
        if streamed {
            available = available.min(self.chunk.clamp(1, MAX_CHUNK));
        }
        let piece = input.get_mut(at..at + available).unwrap_or_default();
        frame.mask = mask::apply(piece, frame.mask);
        frame.left -= available as u64;
        at += available;
        let (opcode, fin, complete) = (frame.opcode, frame.fin, frame.left == 0);
        if opcode.is_control() {
            self.control.extend_from_slice(piece);
        } else if let Some(message) = &mut self.message {
            message.push(piece, frame.left, fin)?;
        }
        if streamed {
            self.frame.take_if(|frame| frame.left == 0);
            if self.message.as_ref().is_some_and(|message| message.inflating.is_some()) {
                return Ok((at, self.inflate_on(codec, limits, inflated)?));
            }
            self.ended = complete && fin;
            self.behind = self.ended;
            let item =
                if piece.is_empty() { self.ended.then(|| self.end()) } else { Some(Item::Chunk(piece)) };
            return Ok((at, item));
        }
        if !complete {
            return Ok((at, None));
        }
        self.frame = None;
        if opcode.is_control() {
            self.delivered = true;
            return Ok((at, Some(control(opcode, &self.control))));
        }
        if fin {
            self.delivered = true;
            let Some(message) = &mut self.message else { return Ok((at, None)) };
            let binary = message.binary;
            let data = match codec.filter(|_| message.compressed) {
                Some(codec) => {
                    let data = inflate(codec, &message.data, inflated, limits)?;
                    if !binary && !utf8::is_valid(data) {
                        return Err(NOT_UTF8);
                    }
                    data
                }
                None if !binary && !message.text.finish() => return Err(NOT_UTF8),
                None => &message.data,
            };
            return Ok((at, Some(Item::Message { binary, data })));
        }
        Ok((at, None))
    }

    /// How much memory holds the message whose end has not come.
    pub(crate) fn unfinished(&self) -> usize {
        let held = |message: &Message| {
            message.data.size() + message.inflating.as_ref().map_or(0, |inflating| inflating.size())
        };
        self.message.as_ref().map_or(0, held)
    }

    /// Tells messages in chunks of at most so many bytes from now on, but for those that lie whole in the input
    /// and have no more than [`MAX_CHUNK`].
    pub fn stream(&mut self, most: usize) {
        self.chunk = most;
    }

    /// Whether [`Decoder::next`] has something to say without more input.
    pub fn is_behind(&self) -> bool {
        self.behind
    }

    /// How many frames have begun.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// What was handed out is no longer looked at: an idle decoder holds no buffer.
    pub fn rest(&mut self) {
        if std::mem::take(&mut self.delivered) {
            self.forget();
        }
    }

    /// Forgets what was handed out: a control frame leaves the message around it alone.
    fn forget(&mut self) {
        self.control = Vec::new();
        if self.message.as_ref().is_some_and(|message| message.complete()) {
            self.message = None;
        }
    }

    /// Reads a header that may have begun in an earlier input.
    fn header(&mut self, input: &[u8]) -> Result<(usize, Option<Header>), Failure> {
        let before = usize::from(self.head_length);
        if before == 0
            && let Some(header) = frame::parse(input)?
        {
            return Ok((header.size, Some(header)));
        }
        let room = self.head.get_mut(before..).unwrap_or_default();
        let added = room.len().min(input.len());
        for (place, byte) in room.iter_mut().zip(input) {
            *place = *byte;
        }
        let header = frame::parse(self.head.get(..before + added).unwrap_or_default())?;
        match header {
            Some(header) => {
                self.head_length = 0;
                Ok((header.size - before, Some(header)))
            }
            None => {
                self.head_length = (before + added) as u8;
                Ok((added, None))
            }
        }
    }

    /// Judges a header by what came before it and by the limits.
    fn admit(&self, header: &Header, limits: &Limits, codec: bool) -> Result<(), Failure> {
        let first = matches!(header.opcode, Opcode::Text | Opcode::Binary);
        if header.rsv1 && !(codec && first) {
            return Err(Failure::protocol("reserved bit set"));
        }
        if header.opcode.is_control() {
            return Ok(());
        }
        match (&self.message, first) {
            (Some(_), true) => return Err(Failure::protocol("new message inside a fragmented one")),
            (None, false) => return Err(Failure::protocol("continuation of no message")),
            _ => {}
        }
        if limits.text_only && header.opcode == Opcode::Binary {
            return Err(Failure { code: 1003, reason: reason::TEXT_ONLY });
        }
        if header.length > limits.frame {
            return Err(Failure::too_big("frame too big"));
        }
        let (so_far, fragments) =
            self.message.as_ref().map_or((0, 0), |message| (message.length, message.fragments));
        if header.length > limits.message.saturating_sub(so_far) {
            return Err(Failure::too_big("message too big"));
        }
        if fragments >= limits.fragments {
            return Err(Failure::too_big("message in too many fragments"));
        }
        Ok(())
    }

    /// Whether a whole message in one frame is to be told in chunks all the same.
    fn cuts(&self, header: &Header) -> bool {
        self.chunk > 0 && (header.length > MAX_CHUNK as u64 || header.rsv1)
    }

    fn begin(&mut self, header: &Header) -> Option<Item<'static>> {
        self.frame =
            Some(Frame { opcode: header.opcode, fin: header.fin, mask: header.mask, left: header.length });
        if header.opcode.is_control() {
            return None;
        }
        let streams = self.chunk > 0;
        let message = self.message.get_or_insert_with(|| Message {
            binary: header.opcode == Opcode::Binary,
            compressed: header.rsv1,
            fragments: 0,
            text: utf8::Stream::default(),
            streamed: streams,
            has_begun: false,
            inflating: (streams && header.rsv1).then(Box::default),
            length: 0,
            data: Unfinished::default(),
        });
        message.fragments += 1;
        // Of a compressed message it is not known yet whether it is worth telling in chunks.
        if !message.streamed || message.has_begun || message.compressed {
            return None;
        }
        message.has_begun = true;
        // An empty frame has nothing to wait for.
        self.frame.take_if(|frame| frame.left == 0);
        Some(Item::Begin { binary: message.binary })
    }

    /// Tells what needs no input.
    fn catch_up<'a>(
        &'a mut self,
        codec: Option<&mut Codec>,
        limits: &Limits,
        inflated: &'a mut Vec<u8>,
    ) -> Result<Option<Item<'a>>, Failure> {
        if self.ended {
            return Ok(Some(self.end()));
        }
        self.inflate_on(codec, limits, inflated)
    }

    /// Goes on with the message that is inflated chunk by chunk.
    fn inflate_on<'a>(
        &'a mut self,
        codec: Option<&mut Codec>,
        limits: &Limits,
        inflated: &'a mut Vec<u8>,
    ) -> Result<Option<Item<'a>>, Failure> {
        self.behind = false;
        let most = self.chunk.clamp(1, MAX_CHUNK);
        let inflating = |message: &'a mut Message| message.inflating.as_deref_mut();
        if self.message.as_mut().and_then(|m| m.inflating.as_mut()).is_some_and(|first| first.has_first()) {
            self.behind = true;
            let inflating = self.message.as_mut().and_then(inflating);
            return Ok(inflating.map(|inflating| Item::Chunk(inflating.next_of_first(most))));
        }
        let Some((message, codec)) = self.message.as_mut().zip(codec) else { return Ok(None) };
        let Some(inflating) = &mut message.inflating else { return Ok(None) };
        inflated.clear();
        inflating.inflate(codec, inflated, if message.has_begun { most } else { MAX_CHUNK }, limits)?;
        let is_over = inflating.is_over();
        let is_text = message.binary || message.text.push(inflated) && (!is_over || message.text.finish());
        if !is_text {
            return Err(NOT_UTF8);
        }
        if is_over {
            codec.end_inflate()?;
        }
        self.behind = is_over || inflating.is_full();
        if message.has_begun {
            self.ended = is_over;
            return Ok(match inflated.is_empty() {
                false => Some(Item::Chunk(inflated)),
                true => is_over.then(|| self.end()),
            });
        }
        if is_over {
            let binary = message.binary;
            self.end();
            return Ok(Some(Item::Message { binary, data: inflated }));
        }
        if inflated.is_empty() {
            return Ok(None);
        }
        message.has_begun = true;
        inflating.keep_first(inflated);
        self.behind = true;
        Ok(Some(Item::Begin { binary: message.binary }))
    }

    fn end(&mut self) -> Item<'static> {
        (self.ended, self.behind) = (false, false);
        self.message = None;
        Item::End
    }
}

const NOT_UTF8: Failure = Failure::data("text is not UTF-8");
/// Marks a message that was handed out.
const COMPLETE: u64 = u64::MAX;

impl Message {
    /// Takes a piece of a frame of which `left` bytes are still to come.
    fn push(&mut self, piece: &[u8], left: u64, fin: bool) -> Result<(), Failure> {
        let end = fin && left == 0;
        self.length += piece.len() as u64;
        if let Some(inflating) = &mut self.inflating {
            inflating.push(piece, end);
        } else if !self.streamed {
            self.data.push(piece, if fin { left } else { u64::MAX });
        }
        if end {
            self.fragments = COMPLETE;
        }
        if !self.binary && !self.compressed && !self.text.push(piece) {
            return Err(NOT_UTF8);
        }
        if end && self.streamed && !self.binary && !self.compressed && !self.text.finish() {
            return Err(NOT_UTF8);
        }
        Ok(())
    }

    fn complete(&self) -> bool {
        self.fragments == COMPLETE
    }
}

/// A compressed message's content. It was kept compressed until it was whole: what a peer can make us hold
/// is what it has sent.
fn inflate<'a>(
    codec: &mut Codec,
    message: &[u8],
    inflated: &'a mut Vec<u8>,
    limits: &Limits,
) -> Result<&'a [u8], Failure> {
    inflated.clear();
    codec.inflate(message, inflated, limits.message)?;
    Ok(inflated)
}

fn control(opcode: Opcode, payload: &[u8]) -> Item<'_> {
    match opcode {
        Opcode::Ping => Item::Ping(payload),
        Opcode::Pong => Item::Pong(payload),
        _ => Item::Close(payload),
    }
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "chunk_tests.rs"]
mod chunk_tests;
