//! What waits in all outboxes of the process is bounded: over the budget, the largest queues go.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::connection::block;
use crate::event::Cause;
use crate::protocol::reason;
use crate::sys;

use super::desk::Desk;
use super::{Command, Shared, Worker};

/// The servers of this process.
static SERVERS: Mutex<Servers> = Mutex::new(Servers { epoch: 0, servers: Vec::new(), looked: None });
/// Evictions that were posted and not yet carried out.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

struct Servers {
    epoch: u32,
    servers: Vec<Weak<Shared>>,
    looked: Option<Instant>,
}

/// A worker that takes longer to carry out an eviction is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// The rest of a frame that has begun to leave is kept up to this size, so that a Close frame may follow.
const KEPT: usize = 64 << 10;

/// Lets a server take part. In a forked child somebody of the parent may hold the lock for ever: then its
/// clients are not looked at, which is better than to hang.
pub(crate) fn register(shared: &Arc<Shared>) {
    let Some(mut known) = SERVERS.try_lock_for(PATIENCE) else { return };
    if known.epoch != sys::epoch() {
        known.epoch = sys::epoch();
        known.servers.clear();
        UNDER_WAY.store(0, Ordering::Relaxed);
    }
    known.servers.retain(|server| server.strong_count() > 0);
    known.servers.push(Arc::downgrade(shared));
}

/// An eviction will not be carried out: its worker has ended.
pub(super) fn forget_eviction() {
    UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
}

/// Looks at all clients of all servers, and has those with the largest queues evicted: as many as hold what
/// is over the budget. Asked after writes that left something behind, so it costs nothing else.
pub(super) fn relieve() {
    let excess = block::excess();
    if excess == 0 {
        return;
    }
    // Somebody else is at it, on another worker.
    let Some(mut known) = SERVERS.try_lock() else { return };
    let now = Instant::now();
    let recently = known.looked.is_some_and(|looked| now < looked + PATIENCE);
    if known.epoch != sys::epoch() || (recently && UNDER_WAY.load(Ordering::Relaxed) > 0) {
        return;
    }
    known.looked = Some(now);
    let servers: Vec<Arc<Shared>> = known.servers.iter().filter_map(Weak::upgrade).collect();
    let mut queues = Vec::new();
    for (number, server) in servers.iter().enumerate() {
        server.clients.each(|id, client| {
            let bytes = client.queued_bytes();
            if bytes > 0 && !client.is_closing() {
                queues.push((bytes, number, id, client.worker()));
            }
        });
    }
    queues.sort_unstable_by_key(|(bytes, ..)| std::cmp::Reverse(*bytes));
    let mut evicted = 0;
    let mut freed = 0;
    for (bytes, number, client, worker) in queues {
        if freed >= excess {
            break;
        }
        freed += bytes;
        let mailbox = servers.get(number).and_then(|server| server.mailboxes.get(worker));
        UNDER_WAY.fetch_add(1, Ordering::Relaxed);
        if mailbox.is_some_and(|mailbox| mailbox.post(|batch| batch.commands.push(Command::Evict { client })))
        {
            evicted += 1;
        } else {
            forget_eviction();
        }
    }
    drop(known);
    servers.iter().for_each(|server| server.nudge());
    tracing::warn!(
        clients = evicted,
        "outboxes are {excess} bytes over their budget: the largest are closed"
    );
}

impl<D: Deref<Target = Desk>> Worker<D> {
    /// Drops what waits for a client, and closes it.
    pub(super) fn evict(&mut self, client: u64) {
        forget_eviction();
        let Some(place) = self.place_of(client) else { return };
        let mut outgoing = self.desk.outgoing.borrow_mut();
        let can_close = outgoing.keep_begun(place, KEPT);
        let (bytes, messages) = outgoing.settle(place);
        drop(outgoing);
        if let Some(entry) = self.shared.clients.get(client) {
            entry.value.adjust(bytes, messages);
        }
        self.shared.evicted.fetch_add(1, Ordering::Relaxed);
        self.close(client, 1013, reason::TOO_SLOW.as_bytes(), Cause::Slow);
        if !can_close {
            self.desk.outgoing.borrow_mut().clear(place);
            self.eof(place);
        }
    }
}
