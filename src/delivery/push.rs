//! Push: the worker that raised an event calls the application.

use std::sync::Arc;

use crate::event::{Event, Sink};
use crate::server::Handle;

/// Takes events on the engine's threads: one at a time and in order for one client, in parallel across
/// clients of different workers. It may send, close and broadcast; it must not wait for the server.
pub trait Handler: Send + Sync + 'static {
    /// One event; `data` is borrowed until this returns. A panic here closes that client with 1011.
    fn on_event(&self, server: &Handle, event: &Event<'_>);
}

impl<F: Fn(&Handle, &Event<'_>) + Send + Sync + 'static> Handler for F {
    fn on_event(&self, server: &Handle, event: &Event<'_>) {
        self(server, event);
    }
}

pub(super) struct PushSink {
    handler: Arc<dyn Handler>,
    server: Handle,
}

impl PushSink {
    pub(super) fn new(handler: Arc<dyn Handler>, server: Handle) -> Self {
        Self { handler, server }
    }
}

impl Sink for PushSink {
    #[inline]
    fn event(&mut self, event: &Event<'_>) {
        self.handler.on_event(&self.server, event);
    }
}
