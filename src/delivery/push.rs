//! Push: the worker that raised an event calls the application.

use std::sync::Arc;

use crate::event::{Event, Sink};

/// Takes events on the engine's threads: one at a time and in order for one client, in parallel across
/// clients of different workers. It may send, close and broadcast; it must not wait for the server.
pub trait Handler: Send + Sync + 'static {
    /// One event; `data` is borrowed until this returns. A panic here closes that client with 1011.
    fn on_event(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Handler for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}

pub(super) struct PushSink(Arc<dyn Handler>);

impl PushSink {
    pub(super) fn new(handler: Arc<dyn Handler>) -> Self {
        Self(handler)
    }
}

impl Sink for PushSink {
    #[inline]
    fn event(&mut self, event: &Event<'_>) {
        self.0.on_event(event);
    }
}
