//! Our `tracing` events as LOG events of the server they belong to.
//!
//! No global logger is touched: the subscriber is set on the engine's own threads, one server each.

pub(crate) mod census;

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

use crate::clock::Now;
use crate::delivery::Delivery;
use crate::event::{Event, Kind};
use crate::server::Handle;

/// Turns events up to a level into LOG.
pub(crate) struct Logs {
    delivery: Delivery,
    server: Handle,
    level: u64,
    spans: AtomicU64,
}

/// What sends the events of a server's threads to `delivery`. Made before they are started: it goes into
/// tracing's registry, whose lock a thread that just begins would hold at the moment of a fork.
pub(crate) fn dispatch(delivery: &Delivery, server: &Handle, level: u64) -> Option<tracing::Dispatch> {
    let logs = Logs { delivery: delivery.clone(), server: server.clone(), level, spans: AtomicU64::new(1) };
    (level > 0).then(|| tracing::Dispatch::new(logs))
}

/// Runs `f` with this thread's events going there.
pub(crate) fn within<T>(logs: Option<&tracing::Dispatch>, f: impl FnOnce() -> T) -> T {
    match logs {
        Some(logs) => tracing::dispatcher::with_default(logs, f),
        None => f(),
    }
}

fn number(level: &Level) -> u64 {
    match *level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

impl Subscriber for Logs {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // What hyper and tokio say of themselves is not the application's.
        let target = metadata.target();
        let ours = target == "wsgate" || target.starts_with("wsgate::");
        metadata.is_event() && number(metadata.level()) <= self.level && ours
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed).max(1))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(format!("{}: ", event.metadata().target()));
        event.record(&mut line);
        self.delivery.log(
            &self.server,
            &Event {
                data: line.0.as_bytes(),
                code: number(event.metadata().level()) as u32,
                ..Event::of_server(Kind::Log, Now::read().wall_ns)
            },
        );
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// `target: message name=value …`
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String can't fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
