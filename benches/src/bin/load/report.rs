//! The line of JSON that is printed.

use crate::measure::{Measurement, percentile};
use crate::options::Options;

pub(crate) struct Report(String);

impl Report {
    pub(crate) fn new(mode: &str) -> Self {
        Report(format!("{{\"mode\": \"{mode}\""))
    }

    /// Adds a finite number, to a thousandth.
    pub(crate) fn number(&mut self, name: &str, value: f64) {
        let rounded = (value * 1000.0).round() / 1000.0;
        self.0.push_str(&format!(", \"{name}\": {rounded}"));
    }

    pub(crate) fn print(mut self) {
        self.0.push('}');
        println!("{}", self.0);
    }
}

/// Prints what was measured; `deliveries` are the messages that the server sends for each that it gets.
/// `memory` is what a client has cost.
pub(crate) fn print(
    mode: &str,
    options: &Options,
    deliveries: usize,
    mut measured: Measurement,
    memory: Option<f64>,
) {
    let messages = measured.phase.messages as f64;
    let delivered = messages * deliveries as f64;
    let mut report = Report::new(mode);
    report.number("clients", options.clients as f64);
    report.number("depth", options.depth as f64);
    report.number("size", options.size as f64);
    report.number("messages", messages);
    report.number("deliveries", delivered);
    report.number("seconds", measured.elapsed.as_secs_f64());
    if let Some(cpu) = measured.server_cpu {
        report.number("server_cpu_ns_per_delivery", cpu.as_nanos() as f64 / delivered);
        report.number("server_cpu_share", cpu.as_secs_f64() / measured.elapsed.as_secs_f64());
    }
    report.number("wire_bytes_per_delivery", measured.phase.received as f64 / delivered);
    report.number("load_cpu_ns_per_delivery", measured.load_cpu.as_nanos() as f64 / delivered);
    if let Some(memory) = memory {
        report.number("memory_per_client", memory);
    }
    let latencies = &mut measured.phase.latencies;
    if !latencies.is_empty() {
        latencies.sort_unstable();
        report.number("latency_us_p50", percentile(latencies, 0.5).as_nanos() as f64 / 1000.0);
        report.number("latency_us_p99", percentile(latencies, 0.99).as_nanos() as f64 / 1000.0);
    }
    report.print();
}
