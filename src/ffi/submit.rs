//! The batched way back: many commands in one call.

use std::cell::RefCell;
use std::ffi::c_void;

use crate::config::{ClientId, Compress, GatewayId, RequestId};
use crate::error::{Error, Result};
use crate::front::Field;
use crate::message::Message;
use crate::server::Handle;
use crate::worker::{self, Poster};

use super::boundary::{borrow, bytes, guard_count, slice, status_of};
use super::handshake::{fields, streams};
use super::message::{compress, unknown};
use super::{Op, RecordFlag, Server, Status};

thread_local! {
    /// One batch a worker, whose memory this thread's next call uses again.
    static BATCHES: RefCell<Vec<worker::Batch>> = const { RefCell::new(Vec::new()) };
}

/// The head of a record: `wsgate_record`.
const HEAD: usize = size_of::<super::Record>();

#[derive(Clone, Copy)]
struct Record<'a> {
    op: u16,
    flags: u16,
    target: u64,
    ticket: u64,
    ids: &'a [u8],
    payload: &'a [u8],
}

/// Takes the first record off the buffer; `None` when its lengths can't be right.
fn split(buffer: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let head: &[u8; HEAD] = buffer.first_chunk()?;
    let u16_at = |at: usize| u16::from_ne_bytes([head[at], head[at + 1]]);
    let u32_at = |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let u64_at = |at: usize| head[at..].first_chunk().map_or(0, |word| u64::from_ne_bytes(*word));
    let size = u32_at(4) as usize;
    if !size.is_multiple_of(8) {
        return None;
    }
    let (record, rest) = buffer.split_at_checked(size)?;
    let body = record.get(HEAD..)?;
    let (ids, body) = body.split_at_checked((u32_at(24) as usize).checked_mul(8)?)?;
    let payload = body.get(..u32_at(28) as usize)?;
    Some((
        Record { op: u16_at(0), flags: u16_at(2), target: u64_at(8), ticket: u64_at(16), ids, payload },
        rest,
    ))
}

impl<'a> Record<'a> {
    /// Hands on the commands that it stands for, one by one, or why there is none: itself, unless it has a
    /// message for each of its ids.
    fn unfold(&self, mut each: impl FnMut(Result<Self>)) {
        let op = match self.op {
            op if op == Op::SendEachText as u16 => Op::SendText,
            op if op == Op::SendEachBinary as u16 => Op::SendBinary,
            _ => return each(Ok(*self)),
        };
        let mut messages = self.messages();
        for target in self.ids() {
            each(match messages.as_mut().map(Iterator::next) {
                Some(Some(payload)) => Ok(Self { op: op as u16, target, ids: &[], payload, ..*self }),
                _ => Err(Error::invalid("the messages' lengths are not those of the payload")),
            });
        }
    }

    /// The parts of the payload, as many as there are ids; `None` when the lengths before them can't be right.
    fn messages(&self) -> Option<impl Iterator<Item = &'a [u8]> + use<'a>> {
        let (lengths, mut rest) = self.payload.split_at_checked(self.ids.len() / 2)?;
        let lengths = lengths.as_chunks().0.iter().map(|length| u32::from_ne_bytes(*length) as usize);
        let sum = lengths.clone().try_fold(0_usize, usize::checked_add);
        (sum == Some(rest.len())).then(|| {
            lengths.map_while(move |length| {
                let (message, behind) = rest.split_at_checked(length)?;
                rest = behind;
                Some(message)
            })
        })
    }

    fn ids(&self) -> impl Iterator<Item = u64> + Clone {
        self.ids.chunks_exact(8).map(|id| id.first_chunk().map_or(0, |word| u64::from_ne_bytes(*word)))
    }

    fn apply(&self, server: &Handle, poster: &mut Poster<'_>) -> Result<()> {
        let client = ClientId(self.target);
        let gateway = GatewayId(self.target);
        match self.op {
            op if op == Op::SendText as u16 => self.send(poster, Message::text(self.payload)),
            op if op == Op::SendBinary as u16 => self.send(poster, Message::binary(self.payload)),
            op if op == Op::Ping as u16 => poster.ping(client, self.ticket),
            op if op == Op::Close as u16 => poster.close(client, self.flags.into(), self.payload),
            op if op == Op::BroadcastText as u16 => self.broadcast(poster, Message::text(self.payload)),
            op if op == Op::BroadcastBinary as u16 => self.broadcast(poster, Message::binary(self.payload)),
            op if op == Op::GatewayAdd as u16 => self.each(|client| poster.join(gateway, client)),
            op if op == Op::GatewayRemove as u16 => self.each(|client| poster.leave(gateway, client)),
            op if op == Op::MulticastText as u16 => self.multicast(poster, Message::text(self.payload)),
            op if op == Op::MulticastBinary as u16 => self.multicast(poster, Message::binary(self.payload)),
            op if op == Op::GatewayFree as u16 => poster.retire(gateway),
            op if op == Op::Accept as u16 => self.accept(server),
            op if op == Op::Reject as u16 => {
                let (headers, body) = self.response()?;
                server.reject(client, self.flags.into(), &headers, body)
            }
            op if op == Op::Respond as u16 => {
                let (headers, body) = self.response()?;
                server.respond(RequestId(self.target), self.flags.into(), &headers, body)
            }
            op if op == Op::ClientGrant as u16 => poster.grant(client, self.ticket, self.flags.into()),
            op if op == Op::ClientPause as u16 => poster.pause(client),
            op if op == Op::ClientResume as u16 => poster.resume(client),
            op if op == Op::BeginText as u16 => poster.begin(client, false, self.compress()?),
            op if op == Op::BeginBinary as u16 => poster.begin(client, true, self.compress()?),
            op if op == Op::Chunk as u16 => poster.part(client, self.payload, false),
            op if op == Op::End as u16 => poster.part(client, self.payload, true),
            op if op == Op::Abort as u16 => poster.abort(client),
            op if op == Op::Discard as u16 => poster.discard(client, self.ticket),
            op => Err(Error::invalid(format!("op {op} is unknown"))),
        }
    }

    fn send(&self, poster: &mut Poster<'_>, message: Message<'_>) -> Result<()> {
        poster.send(ClientId(self.target), message.compressed(self.compress()?))
    }

    /// How a message to one client is compressed.
    fn compress(&self) -> Result<Compress> {
        match compress(self.flags.into())? {
            (compress, 0) => Ok(compress),
            _ => Err(unknown(self.flags.into())),
        }
    }

    fn broadcast(&self, poster: &mut Poster<'_>, message: Message<'_>) -> Result<()> {
        let (compress, ticket) = self.asked()?;
        poster.broadcast(GatewayId(self.target), message.compressed(compress), self.ids(), ticket)
    }

    fn multicast(&self, poster: &mut Poster<'_>, message: Message<'_>) -> Result<()> {
        let (compress, ticket) = self.asked()?;
        poster.multicast(GatewayId(self.target), message.compressed(compress), self.ids(), ticket)
    }

    /// What a message to many asks for: how it is compressed, and the ticket if it wants its outcome.
    fn asked(&self) -> Result<(Compress, Option<u64>)> {
        const OUTCOME: u32 = RecordFlag::Outcome as u32;
        let (compress, rest) = compress(self.flags.into())?;
        match rest {
            0 => Ok((compress, None)),
            OUTCOME => Ok((compress, Some(self.ticket))),
            _ => Err(unknown(self.flags.into())),
        }
    }

    fn accept(&self, server: &Handle) -> Result<()> {
        let streams = streams(self.flags.into())?;
        let mut texts = self.payload.splitn(2, |byte| *byte == 0);
        let subprotocol = texts.next().filter(|_| !self.payload.is_empty());
        let subprotocol = subprotocol.map(std::str::from_utf8).transpose();
        let subprotocol = subprotocol.map_err(|_| Error::invalid("subprotocol is not UTF-8"))?;
        let headers = fields(texts.next().unwrap_or_default())?;
        server.accept_as(ClientId(self.target), subprotocol, &headers, self.ticket, streams)
    }

    /// The headers and the body that the payload is made of.
    fn response(&self) -> Result<(Vec<Field<'_>>, &[u8])> {
        let split = usize::try_from(self.ticket).ok().and_then(|at| self.payload.split_at_checked(at));
        let (headers, body) = split.ok_or_else(|| {
            let (length, all) = (self.ticket, self.payload.len());
            Error::invalid(format!("headers have {length} bytes, more than the payload's {all}"))
        })?;
        Ok((fields(headers)?, body))
    }

    /// Does all, and tells the first failure.
    fn each(&self, mut act: impl FnMut(ClientId) -> Result<()>) -> Result<()> {
        let mut result = Ok(());
        for client in self.ids() {
            let this = act(ClientId(client));
            result = result.and(this);
        }
        result
    }
}

/// Carries out many commands in one call. The buffer holds records one behind the other, each a
/// `wsgate_record` with its ids and payload, padded to a multiple of 8 bytes; it need not be aligned.
/// They are applied in order, with the same effect as the single calls; an unknown `op` or a stale id
/// gets its status, and the rest proceed. Once a send to a client was FULL, so are all later ones to it
/// in the same buffer: a smaller message does not overtake. When a record's lengths can't be right, that one and all
/// behind it are not applied.
///
/// @param statuses one status a record (SEND_EACH_…: one a message), for the first `status_count`; may be NULL
/// @return how many records, or their messages, were OK; INVALID when the buffer itself is broken
/// @threads any, callbacks too; never blocks
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wsgate_submit(
    server: *mut Server,
    buffer: *const c_void,
    length: usize,
    statuses: *mut i32,
    status_count: usize,
) -> i32 {
    guard_count(|| {
        // SAFETY: the caller's promise: NULL or live; `buffer` has `length` bytes.
        let (server, mut rest) =
            unsafe { (borrow("server", server)?, bytes("buffer", buffer.cast(), length)?) };
        let status_count = if statuses.is_null() { 0 } else { status_count };
        // SAFETY: only checked here: not NULL, or no elements; aligned; of a possible length.
        unsafe { slice("statuses", statuses.cast_const(), status_count)? };
        let server = &server.running()?.server;
        BATCHES.with_borrow_mut(|batches| {
            let mut poster = server.gathering(batches)?;
            let (mut records, mut number, mut good, mut broken) = (0, 0, 0, false);
            let mut tell = |status: Status| {
                if number < status_count {
                    // SAFETY: within the caller's array, which is valid for writes by its promise.
                    unsafe { statuses.add(number).write(status as i32) };
                }
                number += 1;
            };
            while !rest.is_empty() {
                let Some((record, next)) = split(rest) else {
                    broken = true;
                    tell(Status::Invalid);
                    break;
                };
                rest = next;
                records += 1;
                record.unfold(|command| match command.and_then(|one| one.apply(server, &mut poster)) {
                    Ok(()) => {
                        good += 1;
                        tell(Status::Ok);
                    }
                    Err(error) => tell(status_of(error.kind())),
                });
            }
            poster.deliver();
            if broken {
                return Err(Error::invalid(format!("record {records} of the buffer has impossible lengths")));
            }
            Ok(good)
        })
    })
}
