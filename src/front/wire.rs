//! What hyper reads from and writes to: the socket, behind a gate.
//!
//! The gate passes one request at a time: a head once it is whole and sound (see [`super::head`]), its body, and
//! nothing more before the response is out. So hyper's own buffer never holds what is not its own: the first
//! frames behind a handshake stay here, pipelined requests wait in order, and that a peer has left shows while
//! the application thinks. A head that is not sound, or did not come in time, is passed as one that only asks for
//! its refusal, so that this stands in line with the other responses, too.

use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use hyper::rt;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, timeout};

use super::head::{self, Framing, Scanner, Sound};
use super::reply::Refusal;
use super::stream::Stream;
use crate::telemetry::census::Census;

/// What is passed in place of a head that was refused.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\n\r\n";
/// What is kept of a peer that goes on sending while a response is due: then TCP holds it back.
const AHEAD: usize = 64 << 10;
/// How long, and how often, a peer is read that still sends while its connection ends.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_READS: usize = 1024;
/// One read from the socket.
const READ: usize = 8 << 10;

/// How long a connection may take, and how large a head may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) header_size: usize,
    /// From a head's first byte to its last; the first one is counted from the connection's start.
    pub(super) header_timeout: Duration,
    /// Between a response and the next request.
    pub(super) idle_timeout: Duration,
    /// While the peer takes nothing of a response.
    pub(super) write_timeout: Duration,
}

/// hyper's side.
pub(super) struct Wire(Arc<Mutex<Gate>>);

/// The service's side of the same connection.
#[derive(Clone)]
pub(super) struct Tap(Arc<Mutex<Gate>>);

/// Held by a response: when hyper is done with that, the next request may pass.
pub(super) struct Answered(Option<Tap>);

struct Gate {
    stream: Stream,
    bounds: Bounds,
    census: Arc<Census>,
    /// Read, and not passed yet.
    buffer: BytesMut,
    scanner: Scanner,
    passing: Passing,
    /// A request has passed whose response is not out.
    busy: bool,
    /// Who is to look again when it is out.
    watcher: Option<Waker>,
    /// That request asks for another protocol.
    upgrades: bool,
    /// The application is asked whether it may.
    deciding: bool,
    /// Why the request that passed is none.
    refusal: Option<Refusal>,
    /// Some request was none.
    was_refused: bool,
    /// The peer has shut its side down.
    ended: bool,
    /// No request passed yet.
    fresh: bool,
    reading: Timer,
    writing: Timer,
}

#[derive(Debug)]
enum Passing {
    /// Nothing, until a head is whole.
    Head,
    /// What was judged: so many bytes of the buffer, and the body behind them.
    Judged {
        left: usize,
        body: Framing,
    },
    StandIn {
        at: usize,
    },
    Body {
        left: u64,
    },
    /// Everything: chunks, behind which nothing passes.
    Chunks,
    /// Nothing any more.
    Closed,
}

/// A time limit that is only kept while something waits.
#[derive(Default)]
struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    runs: Option<Limit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    Header,
    Idle,
    Write,
}

impl Timer {
    /// Whether this limit, which runs from now on if it did not, is over.
    fn is_over(&mut self, limit: Limit, after: Duration, context: &mut Context<'_>) -> bool {
        if self.runs != Some(limit) {
            self.runs = Some(limit);
            match &mut self.sleep {
                Some(sleep) => sleep.as_mut().reset(Instant::now() + after),
                None => self.sleep = Some(Box::pin(tokio::time::sleep(after))),
            }
        }
        self.sleep.as_mut().is_some_and(|sleep| sleep.as_mut().poll(context).is_ready())
    }

    fn stop(&mut self) {
        self.runs = None;
    }
}

/// Puts a gate between hyper and a socket.
pub(super) fn pair(stream: Stream, bounds: Bounds, census: Arc<Census>) -> (Wire, Tap) {
    let gate = Arc::new(Mutex::new(Gate {
        stream,
        bounds,
        census,
        buffer: BytesMut::new(),
        scanner: Scanner::default(),
        passing: Passing::Head,
        busy: false,
        watcher: None,
        upgrades: false,
        deciding: false,
        refusal: None,
        was_refused: false,
        ended: false,
        fresh: true,
        reading: Timer::default(),
        writing: Timer::default(),
    }));
    (Wire(Arc::clone(&gate)), Tap(gate))
}

impl Gate {
    fn poll_pass(
        &mut self,
        context: &mut Context<'_>,
        to: &mut rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            match self.passing {
                Passing::Head if self.busy => ready!(self.poll_watch(context))?,
                Passing::Head => ready!(self.poll_head(context))?,
                Passing::Judged { left: 0, body: Framing::Chunked } => self.passing = Passing::Chunks,
                Passing::Judged { left: 0, body: Framing::Length(left) } => {
                    self.passing = Passing::Body { left };
                }
                Passing::Judged { ref mut left, .. } => {
                    let count = to.remaining().min(*left);
                    *left -= count;
                    to.put_slice(&self.buffer.split_to(count));
                    return Poll::Ready(Ok(()));
                }
                Passing::StandIn { ref mut at } => {
                    let rest = STAND_IN.get(*at..).unwrap_or_default();
                    let count = to.remaining().min(rest.len());
                    to.put_slice(rest.get(..count).unwrap_or_default());
                    *at += count;
                    if *at == STAND_IN.len() {
                        self.passing = Passing::Closed;
                    }
                    return Poll::Ready(Ok(()));
                }
                Passing::Body { left: 0 } => self.passing = Passing::Head,
                Passing::Body { left } => {
                    let passed = ready!(self.poll_through(context, to, left))?;
                    if let Passing::Body { left } = &mut self.passing {
                        *left -= passed;
                    }
                    return Poll::Ready(Ok(()));
                }
                Passing::Chunks => {
                    ready!(self.poll_through(context, to, u64::MAX))?;
                    return Poll::Ready(Ok(()));
                }
                // hyper reads on to see that the peer has left while the refusal is under way.
                Passing::Closed if self.busy => {
                    self.watcher = Some(context.waker().clone());
                    return Poll::Pending;
                }
                Passing::Closed => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Passes up to so many bytes as they are; 0 is the stream's end.
    fn poll_through(
        &mut self,
        context: &mut Context<'_>,
        to: &mut rt::ReadBufCursor<'_>,
        most: u64,
    ) -> Poll<io::Result<u64>> {
        if self.buffer.is_empty() && !self.ended {
            ready!(self.poll_fill(context))?;
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let count = to.remaining().min(self.buffer.len()).min(most);
        to.put_slice(&self.buffer.split_to(count));
        Poll::Ready(Ok(count as u64))
    }

    /// Waits for a whole head. Ready when something is to be passed.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            // RFC 9112 §2.2: an empty line in front of a request is passed over.
            if self.buffer.starts_with(b"\r\n") {
                self.buffer.advance(2);
                continue;
            }
            if !self.buffer.is_empty() && self.buffer[..] != b"\r"[..] {
                match self.scanner.scan(&self.buffer, self.bounds.header_size) {
                    ControlFlow::Break(Ok(length)) => {
                        match head::check(self.buffer.get(..length).unwrap_or_default()) {
                            Ok(sound) => self.admit(length, sound),
                            Err(refusal) => self.refuse(refusal),
                        }
                        return Poll::Ready(Ok(()));
                    }
                    ControlFlow::Break(Err(refusal)) => {
                        self.refuse(refusal);
                        return Poll::Ready(Ok(()));
                    }
                    ControlFlow::Continue(()) => {}
                }
            }
            if self.ended {
                self.passing = Passing::Closed;
                return Poll::Ready(Ok(()));
            }
            if self.poll_fill(context)?.is_ready() {
                continue;
            }
            let Bounds { header_timeout, idle_timeout, .. } = self.bounds;
            let (limit, after) = match self.fresh || !self.buffer.is_empty() {
                true => (Limit::Header, header_timeout),
                false => (Limit::Idle, idle_timeout),
            };
            if !self.reading.is_over(limit, after, context) {
                return Poll::Pending;
            }
            if self.buffer.is_empty() {
                // Nobody has asked anything: there is nothing to be said.
                Census::count(&self.census.idle_timeouts);
                self.passing = Passing::Closed;
            } else {
                Census::count(&self.census.header_timeouts);
                self.refuse(head::TIMEOUT);
            }
            return Poll::Ready(Ok(()));
        }
    }

    fn admit(&mut self, length: usize, sound: Sound) {
        self.passing = Passing::Judged { left: length, body: sound.framing };
        self.upgrades = sound.upgrades;
        self.pass();
    }

    fn refuse(&mut self, refusal: Refusal) {
        Census::count(&self.census.bad_requests);
        self.refusal = Some(refusal);
        self.was_refused = true;
        self.passing = Passing::StandIn { at: 0 };
        self.pass();
    }

    fn pass(&mut self) {
        self.scanner = Scanner::default();
        self.reading.stop();
        (self.busy, self.fresh) = (true, false);
    }

    /// While a response is due: keeps what comes, and tells when the peer has left. Requests that wait here are
    /// answered first. A handshake that the application decides on is over then; another one is the data plane's to
    /// end, which reads what was sent behind it.
    fn poll_watch(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watcher = Some(context.waker().clone());
        while self.buffer.len() < AHEAD && !self.ended {
            ready!(self.poll_fill(context))?;
        }
        let is_left = if self.upgrades { self.deciding } else { self.buffer.is_empty() };
        if self.ended && is_left {
            self.passing = Passing::Closed;
            self.busy = false;
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    /// Reads once into the buffer.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; READ];
        let mut read = ReadBuf::new(&mut bytes);
        // An error is the end, too, whatever is still to be written.
        if let Err(error) = ready!(Pin::new(&mut self.stream).poll_read(context, &mut read)) {
            self.ended = true;
            return Poll::Ready(Err(error));
        }
        self.ended = read.filled().is_empty();
        self.buffer.extend_from_slice(read.filled());
        Poll::Ready(Ok(()))
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending if self.writing.is_over(Limit::Write, self.bounds.write_timeout, context) => {
                Census::count(&self.census.write_timeouts);
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
            done => {
                self.writing.stop();
                done
            }
        }
    }
}

impl Wire {
    /// The socket, and what was read from it and not passed. `None` while somebody else has the other side.
    pub(super) fn into_parts(self) -> Option<(Stream, Bytes)> {
        let gate = Arc::into_inner(self.0)?.into_inner();
        Some((gate.stream, gate.buffer.freeze()))
    }
}

impl rt::Read for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut to: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.lock().poll_pass(context, &mut to)
    }
}

impl rt::Write for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// It is shut down once hyper has let go of it: see [`Tap::close`].
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Tap {
    /// The refusal that the request at hand stands for.
    pub(super) fn take_refusal(&self) -> Option<Refusal> {
        self.0.lock().refusal.take()
    }

    /// Ends the connection. A peer that is still sending is read for a while: to close before it has done so would
    /// send a reset, which may destroy our response on its way.
    pub(super) async fn close(self) {
        let is_sending = {
            let gate = self.0.lock();
            let is_passing = matches!(gate.passing, Passing::Body { left: 1.. } | Passing::Chunks);
            !gate.ended && (gate.was_refused || is_passing || !gate.buffer.is_empty())
        };
        let shutdown = poll_fn(|context| Pin::new(&mut self.0.lock().stream).poll_shutdown(context));
        if shutdown.await.is_ok() && is_sending {
            let discard = poll_fn(|context| {
                let mut gate = self.0.lock();
                for _ in 0..LINGER_READS {
                    gate.buffer.clear();
                    ready!(gate.poll_fill(context)).ok();
                    if gate.ended {
                        break;
                    }
                }
                Poll::Ready(())
            });
            let _ = timeout(LINGER, discard).await;
        }
    }

    /// Whether the application is asked about the handshake at hand: only then does its peer's leaving end it.
    pub(super) fn set_deciding(&self, on: bool) {
        let mut gate = self.0.lock();
        gate.deciding = on;
        let watcher = gate.watcher.take();
        drop(gate);
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }

    /// What the response at hand is to hold.
    pub(super) fn answered(&self) -> Answered {
        Answered(Some(self.clone()))
    }
}

impl Answered {
    /// The connection becomes another protocol's: nothing more passes.
    pub(super) fn never() -> Self {
        Self(None)
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        if let Some(Tap(gate)) = &self.0 {
            let mut gate = gate.lock();
            gate.busy = false;
            let watcher = gate.watcher.take();
            drop(gate);
            if let Some(watcher) = watcher {
                watcher.wake();
            }
        }
    }
}
