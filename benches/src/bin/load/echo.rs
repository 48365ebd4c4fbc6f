//! Clients that each send a burst and wait for its answers.
//!
//! Bursts, not a sliding window: with a window, the batches that a server sees depend on how fast this process happens
//! to read, and a server that answers message by message would be offered other work than one that batches.

use std::io;
use std::time::Instant;

use crate::clients::Clients;
use crate::measure::{Allowance, Phase, Workload};
use crate::options::Options;

pub(crate) struct Echo {
    clients: Clients,
    bursts: Vec<Burst>,
    depth: usize,
}

#[derive(Clone, Copy)]
struct Burst {
    sent: Instant,
    /// Answers still to come.
    outstanding: usize,
}

impl Echo {
    pub(crate) fn connect(options: &Options, deadline: Instant) -> io::Result<Self> {
        // Each client begins with another message, so that an answer to the wrong client shows.
        let clients = Clients::connect(options, deadline, |index| index)?;
        let none = Burst { sent: Instant::now(), outstanding: 0 };
        Ok(Echo { clients, bursts: vec![none; options.clients], depth: options.depth })
    }

    pub(crate) fn close(self) {
        self.clients.close();
    }
}

impl Workload for Echo {
    fn run(&mut self, mut allowance: Allowance, compare: bool) -> io::Result<Phase> {
        let mut phase = Phase::default();
        let received = self.clients.received();
        let mut busy = 0;
        for index in 0..self.bursts.len() {
            let granted = allowance.take(self.depth);
            if granted > 0 {
                self.bursts[index] = Burst { sent: Instant::now(), outstanding: granted };
                self.clients.send(index, granted)?;
                busy += 1;
            }
        }
        while busy > 0 {
            self.clients.turn(compare, |index, answers, client, ring| {
                let burst = &mut self.bursts[index];
                phase.messages += answers as u64;
                burst.outstanding = burst
                    .outstanding
                    .checked_sub(answers)
                    .ok_or_else(|| io::Error::other("more answers than messages"))?;
                if burst.outstanding > 0 {
                    return Ok(());
                }
                if self.depth == 1 {
                    phase.latencies.push(burst.sent.elapsed());
                }
                let granted = allowance.take(self.depth);
                if granted == 0 {
                    busy -= 1;
                    return Ok(());
                }
                *burst = Burst { sent: Instant::now(), outstanding: granted };
                client.send(granted, ring)
            })?;
        }
        phase.received = self.clients.received() - received;
        Ok(phase)
    }
}
