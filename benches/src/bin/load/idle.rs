//! Clients that do nothing: what does one cost the server in memory, and in CPU time to accept?

use std::io;
use std::time::{Duration, Instant};

use crate::connect;
use crate::options::Options;
use crate::process::Process;
use crate::report::Report;

/// Handshakes take buffers, and a server frees them at its leisure; a warmed-up allocator is not part of a client.
const WARMUP: usize = 16;

pub(crate) fn run(options: &Options, deadline: Instant) -> io::Result<()> {
    let server = options.pid.map(Process);
    let settle = || server.map(|server| server.settle(Duration::from_secs(2))).transpose();
    let memory = || server.map(Process::memory).transpose();
    connect::close(connect::connect(options.port, WARMUP, false, deadline)?);

    let cpu_before = settle()?;
    let memory_before = memory()?;
    let start = Instant::now();
    let sockets = connect::connect(options.port, options.clients, false, deadline)?;
    let elapsed = start.elapsed();
    let cpu_after = settle()?;
    let memory_after = memory()?;

    let clients = options.clients as f64;
    let mut report = Report::new("idle");
    report.number("clients", clients);
    report.number("seconds", elapsed.as_secs_f64());
    if let (Some(before), Some(after)) = (memory_before, memory_after) {
        report.number("memory_before", before as f64);
        report.number("memory_after", after as f64);
        report.number("memory_per_client", (after as f64 - before as f64) / clients);
    }
    if let (Some(before), Some(after)) = (cpu_before, cpu_after) {
        report.number("server_cpu_ns_per_handshake", (after - before).as_nanos() as f64 / clients);
    }
    report.print();
    io::stdin().read_line(&mut String::new())?;
    connect::close(sockets);
    Ok(())
}
