//! Warm-up, measured phase, and what the server's process used in between.

use std::io;
use std::time::{Duration, Instant};

use crate::options::{Budget, Options};
use crate::process::Process;

/// Something that messages are sent by. It is quiet before and after each phase.
pub(crate) trait Workload {
    /// Sends as many messages as the allowance gives and waits until all are done. Contents are compared in the
    /// warm-up only: reading them costs this process the time in which it should keep the server busy.
    fn run(&mut self, allowance: Allowance, compare: bool) -> io::Result<Phase>;
}

/// What one phase did.
#[derive(Default)]
pub(crate) struct Phase {
    pub(crate) messages: u64,
    /// Bytes that came back.
    pub(crate) received: u64,
    /// From sending to the last answer, where one message was under way at a time.
    pub(crate) latencies: Vec<Duration>,
}

/// How much may still be sent.
pub(crate) enum Allowance {
    Messages(u64),
    Until(Instant),
}

impl Allowance {
    /// Grants `wanted` messages, or fewer; none when the allowance is used up.
    pub(crate) fn take(&mut self, wanted: usize) -> usize {
        match self {
            Allowance::Messages(left) => {
                let granted = (*left).min(wanted as u64);
                *left -= granted;
                granted as usize
            }
            Allowance::Until(end) if Instant::now() < *end => wanted,
            Allowance::Until(_) => 0,
        }
    }
}

pub(crate) struct Measurement {
    pub(crate) phase: Phase,
    pub(crate) elapsed: Duration,
    pub(crate) server_cpu: Option<Duration>,
    pub(crate) load_cpu: Duration,
}

pub(crate) fn measure(options: &Options, workload: &mut impl Workload) -> io::Result<Measurement> {
    let load = Process(std::process::id());
    let server = options.pid.map(Process);
    // A server may still be busy with a client that has its 101 already, such as making it a member of a broadcast.
    let settle = |bound| server.map(|server| server.settle(bound)).transpose();
    settle(Duration::from_secs(1))?;
    workload.run(Allowance::Messages(options.warmup), true)?;
    let server_before = settle(Duration::from_millis(200))?;
    let load_before = load.cpu()?;
    let start = Instant::now();
    let phase = workload.run(
        match options.budget {
            Budget::Messages(messages) => Allowance::Messages(messages),
            Budget::Time(time) => Allowance::Until(start + time),
        },
        false,
    )?;
    let elapsed = start.elapsed();
    let load_cpu = load.cpu()? - load_before;
    let server_after = settle(Duration::from_millis(200))?;
    let server_cpu = server_after.zip(server_before).map(|(after, before)| after.saturating_sub(before));
    Ok(Measurement { phase, elapsed, server_cpu, load_cpu })
}

/// The value that a share `rank` (0 to 1) of the sorted `values` does not exceed.
pub(crate) fn percentile(values: &[Duration], rank: f64) -> Duration {
    let index = (values.len() as f64 * rank).ceil() as usize;
    values.get(index.max(1) - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        let values: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!(percentile(&values, 0.5), Duration::from_micros(100));
        assert_eq!(percentile(&values, 0.99), Duration::from_micros(198));
        assert_eq!(percentile(&values[..1], 0.5), Duration::from_micros(1));
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }

    #[test]
    fn an_allowance_ends() {
        let mut messages = Allowance::Messages(10);
        assert_eq!([8, 8, 8].map(|wanted| messages.take(wanted)), [8, 2, 0]);
        assert_eq!(Allowance::Until(Instant::now()).take(8), 0);
    }
}
