//! One client sends, all receive, the sender too.

use std::collections::VecDeque;
use std::io;
use std::net::TcpStream;
use std::time::Instant;

use crate::clients::Clients;
use crate::connect;
use crate::measure::{Allowance, Phase, Workload};
use crate::options::Options;

const SENDER: usize = 0;

pub(crate) struct Broadcast {
    clients: Clients,
    /// Clients that never read: what is sent to them waits in the server.
    stuck: Vec<TcpStream>,
    /// How many messages each client has received, and how many were sent and received by all.
    received: Vec<u64>,
    sent: u64,
    done: u64,
    in_flight: VecDeque<Message>,
    depth: usize,
}

struct Message {
    sent: Instant,
    /// Clients that do not have it yet.
    missing: usize,
}

impl Broadcast {
    pub(crate) fn connect(options: &Options, deadline: Instant) -> io::Result<Self> {
        let stuck = connect::connect(options.port, options.stuck, options.deflate, deadline)?;
        Ok(Broadcast {
            stuck,
            clients: Clients::connect(options, deadline, |_| 0)?,
            received: vec![0; options.clients],
            sent: 0,
            done: 0,
            in_flight: VecDeque::with_capacity(options.depth),
            depth: options.depth,
        })
    }

    pub(crate) fn close(self) {
        drop(self.stuck);
        self.clients.close();
    }

    fn send(&mut self, allowance: &mut Allowance) -> io::Result<()> {
        let granted = allowance.take(self.depth - self.in_flight.len());
        if granted == 0 {
            return Ok(());
        }
        let sent = Instant::now();
        let missing = self.received.len();
        self.in_flight.extend((0..granted).map(|_| Message { sent, missing }));
        self.sent += granted as u64;
        self.clients.send(SENDER, granted)
    }
}

impl Workload for Broadcast {
    fn run(&mut self, mut allowance: Allowance, compare: bool) -> io::Result<Phase> {
        let mut phase = Phase::default();
        let received = self.clients.received();
        let before = self.done;
        self.send(&mut allowance)?;
        while !self.in_flight.is_empty() {
            self.clients.turn(compare, |index, messages, _, _| {
                let from = self.received[index];
                let to = from + messages as u64;
                if to > self.sent {
                    return Err(io::Error::other("a client received more messages than were sent"));
                }
                self.received[index] = to;
                for message in
                    self.in_flight.range_mut((from - self.done) as usize..(to - self.done) as usize)
                {
                    message.missing -= 1;
                }
                Ok(())
            })?;
            // Each client receives in order, so the oldest message is done first.
            while self.in_flight.front().is_some_and(|message| message.missing == 0) {
                let message = self.in_flight.pop_front();
                self.done += 1;
                if self.depth == 1 {
                    phase.latencies.extend(message.map(|message| message.sent.elapsed()));
                }
            }
            self.send(&mut allowance)?;
        }
        phase.messages = self.done - before;
        phase.received = self.clients.received() - received;
        Ok(phase)
    }
}
