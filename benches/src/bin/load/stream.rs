//! One client that sends one long message and reads it back meanwhile: how fast does it pass through the server, and
//! how much memory does that take?

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::connect;
use crate::frames::append_masked;
use crate::options::Options;
use crate::process::Process;
use crate::report::Report;

const BINARY: u8 = 2;
const FIN: u8 = 0x80;
/// How much is read at a time.
const READ: usize = 256 << 10;
const MASK: [u8; 4] = [0x3a, 0x91, 0xc7, 0x05];

pub(crate) fn run(options: &Options, deadline: Instant) -> io::Result<()> {
    let server = options.pid.map(Process);
    let mut socket = connect::connect(options.port, 1, false, deadline)?.remove(0);
    let settle = || server.map(|server| server.settle(Duration::from_millis(200))).transpose();
    let cpu_before = settle()?;
    server.map(Process::forget_peak).transpose()?;
    let start = Instant::now();
    socket = pass_through(socket, options, deadline)?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu_after = settle()?;

    let mut report = Report::new("stream");
    report.number("size", options.size as f64);
    report.number("frame", options.frame as f64);
    report.number("seconds", seconds);
    report.number("megabytes_per_second", options.size as f64 / seconds / 1e6);
    report.number("ns_per_kilobyte", seconds * 1e12 / options.size.max(1) as f64);
    if let (Some(before), Some(after)) = (cpu_before, cpu_after) {
        let cpu = (after - before).as_secs_f64();
        report.number("server_cpu_ns_per_kilobyte", cpu * 1e12 / options.size.max(1) as f64);
        report.number("server_cpu_share", cpu / seconds);
    }
    if let Some(peak) = server.map(Process::peak).transpose()? {
        report.number("peak_memory", peak as f64);
    }
    report.print();
    connect::close(vec![socket]);
    Ok(())
}

/// Sends the message, and compares what comes back.
fn pass_through(socket: TcpStream, options: &Options, deadline: Instant) -> io::Result<TcpStream> {
    socket.set_nonblocking(true)?;
    let mut socket = mio::net::TcpStream::from_std(socket);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut socket, Token(0), Interest::READABLE | Interest::WRITABLE)?;
    let mut events = Events::with_capacity(4);
    let mut buffer = vec![0; READ];
    let mut sending = Sending::new(options.size, options.frame);
    let mut echo = Echo::new(options.size, options.frame);
    while !echo.is_over {
        let left = deadline.saturating_duration_since(Instant::now());
        match poll.poll(&mut events, Some(left)) {
            Ok(()) if events.is_empty() => return Err(ErrorKind::TimedOut.into()),
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        // As far as either goes: the poller tells of changes only.
        let (mut may_write, mut may_read) = (true, true);
        while (may_write && !sending.is_over()) || (may_read && !echo.is_over) {
            if may_write {
                may_write = !sending.is_over() && advance(sending.write(&mut socket))?;
            }
            if may_read {
                let read = socket.read(&mut buffer);
                if let Ok(count) = read {
                    if count == 0 {
                        return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server hung up"));
                    }
                    echo.feed(&buffer[..count]).map_err(io::Error::other)?;
                }
                may_read = advance(read.map(drop))?;
            }
        }
    }
    poll.registry().deregister(&mut socket)?;
    Ok(socket.into())
}

/// Whether there may be more to do.
fn advance(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
        Err(error) => Err(error),
    }
}

/// The byte at this place of the message.
fn content(place: usize, frame: usize) -> u8 {
    let place = place % (PERIOD * frame);
    (place ^ place >> 8 ^ place >> 16) as u8
}

/// So many frames, made beforehand, are sent over and over; not a power of two, so that a piece at a wrong place shows.
const PERIOD: usize = 7;

/// What is still to be sent.
struct Sending {
    size: usize,
    frame: usize,
    /// Of the middle of a message.
    middle: Vec<Vec<u8>>,
    /// The number of the frame that is being sent.
    number: usize,
    /// It, if it is the first or the last.
    other: Option<Vec<u8>>,
    written: usize,
}

impl Sending {
    fn new(size: usize, frame: usize) -> Self {
        let mut sending = Self { size, frame, middle: Vec::new(), number: 0, other: None, written: 0 };
        sending.middle =
            (PERIOD..2 * PERIOD).map(|n| made(n * frame..(n + 1) * frame, frame, false)).collect();
        sending.other = Some(sending.made(0));
        sending
    }

    fn is_last(&self, number: usize) -> bool {
        self.size <= (number + 1) * self.frame
    }

    /// The frame of a number, with the message's end in it if that is there.
    fn made(&self, number: usize) -> Vec<u8> {
        let from = number * self.frame;
        let is_last = self.is_last(number);
        made(from..if is_last { self.size } else { from + self.frame }, self.frame, is_last)
    }

    fn next_frame(&mut self) {
        self.number += 1;
        self.written = 0;
        self.other = self.is_last(self.number).then(|| self.made(self.number));
    }

    fn bytes(&self) -> &[u8] {
        self.other.as_deref().unwrap_or_else(|| &self.middle[self.number % PERIOD])
    }

    fn is_over(&self) -> bool {
        self.is_last(self.number) && self.written == self.bytes().len()
    }

    fn write(&mut self, socket: &mut impl Write) -> io::Result<()> {
        if self.written == self.bytes().len() {
            self.next_frame();
        }
        self.written += socket.write(&self.bytes()[self.written..])?;
        Ok(())
    }
}

/// A frame with this part of the message.
fn made(part: Range<usize>, frame: usize, is_last: bool) -> Vec<u8> {
    let opcode = if part.start == 0 { BINARY } else { 0 };
    let payload: Vec<u8> = part.map(|place| content(place, frame)).collect();
    let mut bytes = Vec::new();
    append_masked(&mut bytes, opcode, &payload, MASK);
    bytes[0] &= if is_last { 0xff } else { !FIN };
    bytes
}

/// What comes back.
struct Echo {
    size: usize,
    /// After so many bytes the content repeats.
    period: usize,
    /// So much of the message has come.
    got: usize,
    /// The beginning of a header.
    head: Vec<u8>,
    /// Of the frame whose payload comes.
    left: usize,
    is_last: bool,
    is_over: bool,
    /// The content, over and over: from any place within its period on, a read's worth.
    expected: Vec<u8>,
}

impl Echo {
    fn new(size: usize, frame: usize) -> Self {
        let period = PERIOD * frame;
        let expected = (0..READ + period).map(|place| content(place, frame)).collect();
        Self { size, period, got: 0, head: Vec::new(), left: 0, is_last: false, is_over: false, expected }
    }

    fn feed(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            if self.is_over {
                return Err("more than the message came back".into());
            }
            if self.left == 0 {
                self.head.push(bytes[0]);
                bytes = &bytes[1..];
                let Some((first, length)) = parse(&self.head) else { continue };
                if first & 0x0f != if self.got == 0 && self.head[0] & 0x0f != 0 { BINARY } else { 0 } {
                    return Err(format!("a frame began with {first:#x}"));
                }
                (self.left, self.is_last) = (length, first & FIN != 0);
                self.head.clear();
            }
            let (piece, rest) = bytes.split_at(self.left.min(bytes.len()));
            let from = self.got % self.period;
            if piece != &self.expected[from..from + piece.len()] {
                return Err(format!("what came back differs after {} bytes", self.got));
            }
            self.got += piece.len();
            self.left -= piece.len();
            bytes = rest;
            self.is_over = self.left == 0 && self.is_last;
        }
        if self.is_over && self.got != self.size {
            return Err(format!("{} bytes came back", self.got));
        }
        Ok(())
    }
}

/// The first byte and the payload's length, of a frame header that is whole.
fn parse(head: &[u8]) -> Option<(u8, usize)> {
    match *head.get(1)? {
        126 => Some((head[0], usize::from(u16::from_be_bytes(head.get(2..4)?.try_into().ok()?)))),
        127 => Some((head[0], usize::try_from(u64::from_be_bytes(head.get(2..10)?.try_into().ok()?)).ok()?)),
        length => Some((head[0], usize::from(length))),
    }
}
