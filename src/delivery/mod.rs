//! Where events go: into the application's callbacks, or into a queue that it takes from.

mod pull;
mod push;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::event::{Event, Sink};
use crate::server::Handle;

pub use pull::{Queue, Record, Taken};
pub use push::Handler;

/// How a server's events reach the application. Chosen once, before the server starts.
#[derive(Clone)]
pub enum Delivery {
    /// Worker threads call the handler.
    Push(Arc<dyn Handler>),
    /// Events wait in a queue until the application takes them.
    Pull(Arc<Queue>),
}

impl Delivery {
    /// Callbacks into `handler`, from worker threads.
    pub fn push(handler: impl Handler) -> Self {
        Self::Push(Arc::new(handler))
    }

    /// A sink for one thread of the server that `handle` belongs to.
    pub(crate) fn sink(&self, handle: &Handle) -> Box<dyn Sink> {
        match self {
            Self::Push(handler) => Box::new(push::PushSink::new(Arc::clone(handler), handle.clone())),
            Self::Pull(queue) => Box::new(pull::PullSink::new(Arc::clone(queue))),
        }
    }

    /// Delivers an event at once, from a thread without a sink. False if the application's callback panicked.
    pub(crate) fn raise(&self, handle: &Handle, event: &Event<'_>) -> bool {
        match self {
            Self::Push(handler) => catch_unwind(AssertUnwindSafe(|| handler.on_event(handle, event))).is_ok(),
            Self::Pull(queue) => {
                queue.raise(event);
                true
            }
        }
    }

    /// Delivers a log line, from any thread. It may be dropped when the application is far behind.
    pub(crate) fn log(&self, handle: &Handle, event: &Event<'_>) {
        match self {
            // Log lines come from anywhere in the engine: a callback's panic must not get there.
            Self::Push(handler) => {
                let _ = catch_unwind(AssertUnwindSafe(|| handler.on_event(handle, event)));
            }
            Self::Pull(queue) => queue.log(event),
        }
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Push(_) => "Push",
            Self::Pull(_) => "Pull",
        })
    }
}
