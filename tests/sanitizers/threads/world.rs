//! What all threads of the program know, and what the application does with events.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use wsgate::{Cause, ClientId, ErrorKind, GatewayId, Handle, Kind, Result};

/// The latest ids of a kind. Relaxed: a lock would order the threads, and hide what they race for. Whoever reads
/// here that a client is gone finds its entry so, because the entry is found by the id that was read.
struct Ring<const N: usize> {
    ids: [AtomicU64; N],
    count: AtomicU64,
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self { ids: [const { AtomicU64::new(0) }; N], count: AtomicU64::new(0) }
    }
}

impl<const N: usize> Ring<N> {
    fn push(&self, id: u64) {
        let at = self.count.fetch_add(1, Relaxed);
        self.ids[at as usize % N].store(id, Relaxed);
    }

    fn get(&self, n: u64) -> ClientId {
        ClientId(self.ids[n as usize % N].load(Relaxed))
    }
}

#[derive(Default)]
pub(crate) struct World {
    come: Ring<16>,
    gone: Ring<64>,
    pub(crate) gateways: [AtomicU64; 4],
    /// The callers' time is over.
    pub(crate) over: AtomicBool,
    pub(crate) accepted: AtomicU64,
    pub(crate) closed: AtomicU64,
    pub(crate) shut_down: AtomicU64,
    pub(crate) messages: AtomicU64,
    pub(crate) asked: AtomicU64,
    pub(crate) told: AtomicU64,
    pub(crate) stopped: AtomicU64,
    pub(crate) after_stopped: AtomicU64,
    pub(crate) oks: AtomicU64,
    pub(crate) refused: AtomicU64,
    /// Calls with ids that are nobody's.
    pub(crate) stale: AtomicU64,
}

impl World {
    /// A client who may be there.
    pub(crate) fn client(&self, n: u64) -> ClientId {
        self.come.get(n)
    }

    /// An id that is nobody's, for one of three reasons.
    pub(crate) fn nobody(&self, n: u64) -> ClientId {
        /// Below an id's serial number stands its place.
        const SERIAL: u64 = 1 << 24;
        let somebody = self.come.get(n).0;
        match n % 4 {
            // An earlier client of the same place, if it had one.
            0 if somebody > SERIAL => ClientId(somebody - SERIAL),
            // One that this place will have in some hundred years.
            1 => ClientId(somebody | 1 << 62),
            _ => self.gone.get(n),
        }
    }

    pub(crate) fn gateway(&self, n: u64) -> GatewayId {
        GatewayId(self.gateways[n as usize % self.gateways.len()].load(Relaxed))
    }

    /// An outcome that a call may have while the client, the gateway or the server goes away under it.
    pub(crate) fn note(&self, result: Result<()>) {
        match result {
            Ok(()) => self.oks.fetch_add(1, Relaxed),
            Err(error) if matches!(error.kind(), ErrorKind::Closed | ErrorKind::Full) => {
                self.refused.fetch_add(1, Relaxed)
            }
            Err(error) => panic!("{:?}: {error}", error.kind()),
        };
    }

    /// The same for a call that asks for what became of it.
    pub(crate) fn note_asked(&self, result: Result<()>) {
        self.asked.fetch_add(u64::from(result.is_ok()), Relaxed);
        self.note(result);
    }

    /// What the application does with an event, in a callback or with what it took.
    pub(crate) fn on_event(&self, server: &Handle, kind: u32, client: u64, value: u64, data: &[u8]) {
        if self.stopped.load(Relaxed) > 0 {
            self.after_stopped.fetch_add(1, Relaxed);
        }
        if kind == Kind::Accept as u32 {
            let n = self.accepted.fetch_add(1, Relaxed);
            self.come.push(client);
            self.note(server.set_user_data(ClientId(client), client));
            self.note(server.join_gateway(self.gateway(n), ClientId(client)));
        } else if kind == Kind::Message as u32 || kind == Kind::Chunk as u32 {
            self.messages.fetch_add(1, Relaxed);
            self.note(server.send_binary(ClientId(client), data));
        } else if kind == Kind::Close as u32 {
            self.closed.fetch_add(1, Relaxed);
            self.gone.push(client);
            self.shut_down.fetch_add(u64::from(value == Cause::Shutdown as u64), Relaxed);
        } else if kind == Kind::Outcome as u32 {
            self.told.fetch_add(1, Relaxed);
        } else if kind == Kind::Stopped as u32 {
            self.stopped.fetch_add(1, Relaxed);
        }
    }
}
