//! Broadcasts to clients who do not read meanwhile: how fast do a server's workers fan out, when nobody else needs the
//! processors? Only the sender reads, to keep its messages in flight; the others' lie in their sockets' buffers, and are
//! read and compared when the last byte has come.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::connect;
use crate::frames::{Incoming, Ring};
use crate::options::{Budget, Options};
use crate::process::Process;
use crate::report::Report;

const SENDER: usize = 0;
/// How often it is looked whether all has come; a flood takes some hundred times as long.
const LOOK: Duration = Duration::from_micros(500);
/// Of a socket's buffer, what the kernel's own bookkeeping may take of it.
const SHARE: usize = 8;

struct Flood {
    sockets: Vec<TcpStream>,
    incoming: Vec<Incoming>,
    ring: Ring,
    depth: usize,
    /// The number of the next message.
    next: usize,
    buffer: Vec<u8>,
    deadline: Instant,
}

/// What a flood took.
struct Took {
    time: Duration,
    server_cpu: Duration,
    load_cpu: Duration,
}

pub(crate) fn run(options: &Options, deadline: Instant) -> io::Result<()> {
    let Budget::Messages(messages) = options.budget else {
        return Err(io::Error::other("a flood is of so many --messages"));
    };
    let messages = messages as usize;
    let ring = Ring::new(options.kind, false, options.size, options.depth);
    let room = SHARE * messages * ring.length(0, 1);
    let sockets = connect::connect_with_room(options.port, options.clients, room, deadline)?;
    let incoming = sockets.iter().map(|_| Incoming::new(0, &ring)).collect();
    let buffer = vec![0; 256 << 10];
    let mut flood = Flood { sockets, incoming, ring, depth: options.depth, next: 0, buffer, deadline };
    let server = options.pid.map(Process);
    server.map(|server| server.settle(Duration::from_secs(1))).transpose()?;
    flood.run(messages, server)?;
    let took: Vec<Took> =
        (0..options.floods).map(|_| flood.run(messages, server)).collect::<io::Result<_>>()?;

    let deliveries = (options.floods * messages * options.clients) as f64;
    let sum = |part: fn(&Took) -> Duration| took.iter().map(part).sum::<Duration>().as_secs_f64();
    let seconds = sum(|took| took.time);
    let mut report = Report::new("flood");
    report.number("clients", options.clients as f64);
    report.number("depth", options.depth as f64);
    report.number("size", options.size as f64);
    report.number("messages", messages as f64);
    report.number("deliveries", deliveries);
    report.number("seconds", seconds);
    report.number("deliveries_per_second", deliveries / seconds);
    report.number("load_cpu_share", sum(|took| took.load_cpu) / seconds);
    if server.is_some() {
        report.number("server_cpu_ns_per_delivery", sum(|took| took.server_cpu) * 1e9 / deliveries);
        report.number("server_cpu_share", sum(|took| took.server_cpu) / seconds);
    }
    report.print();
    connect::close(flood.sockets);
    Ok(())
}

impl Flood {
    /// From the first message until the last byte has come to everybody; what was received is compared afterwards.
    fn run(&mut self, messages: usize, server: Option<Process>) -> io::Result<Took> {
        let load = Process(std::process::id());
        let server_cpu = || server.map_or(Ok(Duration::ZERO), Process::cpu);
        let (load_before, server_before) = (load.cpu()?, server_cpu()?);
        let start = Instant::now();
        let bytes = self.send(messages)?;
        for socket in &self.sockets[SENDER + 1..] {
            while readable(socket)? < bytes {
                if Instant::now() > self.deadline {
                    return Err(io::Error::new(ErrorKind::TimedOut, "timed out: not all has come"));
                }
                sleep(LOOK);
            }
        }
        let time = start.elapsed();
        let took =
            Took { time, server_cpu: server_cpu()? - server_before, load_cpu: load.cpu()? - load_before };
        for index in SENDER + 1..self.sockets.len() {
            let mut missing = messages;
            while missing > 0 {
                missing -= self.receive(index)?.0;
            }
        }
        Ok(took)
    }

    /// Keeps messages in flight until its own copies of all have come, and returns how many bytes these were.
    fn send(&mut self, messages: usize) -> io::Result<usize> {
        let (mut sent, mut done, mut bytes) = (0, 0, 0);
        while done < messages {
            let granted = (self.depth - (sent - done)).min(messages - sent);
            let mut position = self.ring.position(self.next);
            let mut owed = self.ring.length(self.next, granted);
            self.next += granted;
            sent += granted;
            while owed > 0 {
                let written = self.sockets[SENDER].write_vectored(&self.ring.slices(position, owed))?;
                position = self.ring.advance(position, written);
                owed -= written;
            }
            let (completed, read) = self.receive(SENDER)?;
            done += completed;
            bytes += read;
        }
        Ok(bytes)
    }

    /// Reads once: how many messages that completed, and how many bytes it was.
    fn receive(&mut self, index: usize) -> io::Result<(usize, usize)> {
        let read = self.sockets[index].read(&mut self.buffer)?;
        if read == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server hung up"));
        }
        let completed = self.incoming[index].feed(&self.buffer[..read], &self.ring, true);
        Ok((completed.map_err(io::Error::other)?, read))
    }
}

/// How many bytes a socket has for its reader.
fn readable(socket: &TcpStream) -> io::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open, and `bytes` is a valid place for the answer.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::FIONREAD, &raw mut bytes) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(bytes as usize)
}
