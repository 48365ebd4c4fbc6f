//! What a worker's own callbacks may touch directly.
//!
//! A callback that sends on the thread of the client's worker need not go through the mailbox: its
//! frame goes straight into the outbox. The desk is how the send finds that worker, through the thread.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::config::Endpoint;
use crate::connection::outbox::Outgoing;
use crate::protocol::Opcode;
use crate::protocol::deflate::{self, Agreement, SharedClass};
use crate::sys;

use super::mailbox::{Batch, Mailbox};

/// The part of a worker that is open to calls from its own thread.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) outgoing: RefCell<Outgoing>,
    /// Commands from this thread to itself.
    pub(crate) local: RefCell<Batch>,
    /// A batch is being carried out: what callbacks send meanwhile comes behind it.
    pub(crate) carrying: Cell<bool>,
    /// The message of which a callback is told a part.
    pub(crate) telling: Cell<Telling>,
}

/// A message of which a callback is told a part, and whether it has discarded the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Telling {
    pub(crate) client: u64,
    pub(crate) message: u64,
    pub(crate) discarded: bool,
}

thread_local! {
    static DESK: RefCell<Option<Rc<Desk>>> = const { RefCell::new(None) };
    /// Of which process, as [`sys::epoch`] counts them: in a child of a callback's `fork()`, this thread is the
    /// host's.
    static ENGINE: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Marks this thread as the engine's: what waits for the engine's threads may not be called here.
pub(crate) fn enter_engine() {
    ENGINE.set(Some(sys::epoch()));
}

/// Whether this is one of the engine's threads, so that a call comes from a callback.
pub(crate) fn in_engine() -> bool {
    ENGINE.get() == Some(sys::epoch())
}

/// Puts a worker's desk on its thread.
pub(crate) fn set(desk: Option<Rc<Desk>>) {
    DESK.set(desk);
}

/// Calls `f` with the desk, if this is the thread of the worker with this mailbox.
#[inline]
pub(crate) fn with<R>(mailbox: &Arc<Mailbox>, f: impl FnOnce(&Desk) -> R) -> Option<R> {
    // A thread that is coming to its end is not a worker in its loop.
    DESK.try_with(|desk| {
        let desk = desk.borrow();
        let desk = desk.as_ref()?;
        Arc::ptr_eq(&desk.mailbox, mailbox).then(|| f(desk))
    })
    .ok()
    .flatten()
}

impl Desk {
    /// Whether a frame may go straight into an outbox: nothing that was sent before it still waits.
    pub(crate) fn is_clear(&self) -> bool {
        !self.carrying.get() && !self.has_mail()
    }

    /// Whether something was sent that the worker has not begun to carry out.
    pub(crate) fn has_mail(&self) -> bool {
        !self.local.borrow().is_empty() || self.mailbox.is_filled()
    }

    /// The callback that is told of this message does not want the rest. False when it is told of another.
    pub(crate) fn discard(&self, client: u64, message: u64) -> bool {
        let telling = self.telling.get();
        let is_this = (telling.client, telling.message) == (client, message);
        if is_this {
            self.telling.set(Telling { discarded: true, ..telling });
        }
        is_this
    }

    /// Queues a message, compressed for itself, where that makes it smaller.
    pub(crate) fn push_packed(
        &self,
        place: u32,
        opcode: Opcode,
        data: &[u8],
        agreement: &Agreement,
        settings: &Endpoint,
        reserved: u32,
    ) {
        let mut packed = deflate::lend();
        packed.clear();
        let class = SharedClass::of(agreement, data.len());
        let smaller = deflate::deflate(data, class, settings.compression.effort().level, &mut packed);
        let payload = if smaller { packed.as_slice() } else { data };
        let mut outgoing = self.outgoing.borrow_mut();
        outgoing.push_own(place, opcode, smaller, payload, settings.frame_split, reserved);
        deflate::give_back(packed);
    }

    /// Adds a command behind all that this thread has sent: to the local batch, or to the mailbox
    /// while that holds something older.
    pub(crate) fn post(&self, fill: impl FnOnce(&mut Batch)) {
        if self.mailbox.is_filled() {
            self.mailbox.post(fill);
        } else {
            fill(&mut self.local.borrow_mut());
        }
    }
}
