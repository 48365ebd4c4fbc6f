//! Writing to the clients that have something new: to each once a turn, and not to all in one turn when
//! they are very many.

use std::net::Shutdown;
use std::ops::Deref;

use crate::clock::Now;
use crate::connection::outbox::Sent;
use crate::counters::Figures;
use crate::event::{Event, Kind};

use super::desk::Desk;
use super::{Worker, pressure};

/// How many clients one flush writes to, and to as many whom an earlier one has postponed: then sockets are
/// read again. A `write` takes some microseconds.
const SLICE: usize = 1024;

/// What follows the writing: it waits for the end of a flush.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Clients whose queues point into arenas that others will use.
    behind: Vec<u32>,
    drained: Vec<u32>,
    broken: Vec<u32>,
    /// All has left, and the peer has hung up.
    done: Vec<u32>,
}

impl<D: Deref<Target = Desk>> Worker<D> {
    /// The socket has room again.
    pub(super) fn retry(&mut self, place: u32) {
        if self.desk.outgoing.borrow().waiting(place).bytes > 0 {
            self.stuck.push(place);
        }
    }

    /// Writes to everybody who has something new, or room again; then the arenas are free for reuse.
    /// Events come after that, because their callbacks write into the arenas again.
    pub(super) fn flush(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        self.desk.outgoing.borrow_mut().take_touched(&mut touched);
        touched.append(&mut self.stuck);
        self.postpone(&mut touched);
        for place in touched.drain(..) {
            self.write(place);
        }
        self.touched = touched;
        let mut written = std::mem::take(&mut self.written);
        self.desk.outgoing.borrow_mut().reclaim(&written.behind);
        let is_behind = !written.behind.is_empty();
        written.behind.clear();
        self.settle_accounts();
        for place in written.done.drain(..) {
            self.release(place);
        }
        for place in written.broken.drain(..) {
            self.eof(place);
        }
        for place in written.drained.drain(..) {
            self.drain(place);
        }
        self.written = written;
        if is_behind {
            pressure::relieve();
        }
        if self.shared.outcomes.any() {
            self.tell_outcomes();
        }
    }

    /// Leaves those who are too many for one flush to the next ones, and takes some whose time has come. Who
    /// gets something new meanwhile is written to with that: an answer does not wait for a fan-out.
    fn postpone(&mut self, touched: &mut Vec<u32>) {
        let from_earlier = self.postponed.len().min(SLICE);
        if touched.len() > SLICE {
            for place in touched.drain(SLICE..) {
                self.written.behind.push(place);
                if let Some(held) = self.held.get_mut(place as usize)
                    && !std::mem::replace(&mut held.postponed, true)
                {
                    self.postponed.push_back(place);
                }
            }
        }
        for place in self.postponed.drain(..from_earlier) {
            if let Some(held) = self.held.get_mut(place as usize) {
                held.postponed = false;
                touched.push(place);
            }
        }
    }

    /// Writes what a client's socket takes; the rest follows at the end of [`Worker::flush`].
    pub(super) fn write(&mut self, place: u32) {
        let Some(held) = self.held.get_mut(place as usize) else { return };
        let mut outgoing = self.desk.outgoing.borrow_mut();
        let result = outgoing.write(place, &mut held.stream);
        let waiting = outgoing.waiting(place).bytes;
        held.is_blocked = waiting > 0;
        if held.lingers_until.is_some() {
            if waiting == 0 && held.hung_up {
                self.written.done.push(place);
            } else if waiting == 0 && !held.shut {
                held.shut = true;
                let _ = held.stream.shutdown(Shutdown::Write);
            }
        } else if let Some(entry) = self.shared.clients.get(held.connection.id) {
            count_sent(&entry.value.figures, outgoing.take_sent(place), self.now);
            let (bytes, messages) = outgoing.settle(place);
            if bytes | messages != 0 {
                entry.value.adjust(bytes, messages);
                if entry.value.drained() {
                    self.written.drained.push(place);
                }
            }
        }
        if result.is_err() {
            outgoing.clear(place);
            self.written.broken.push(place);
        } else if waiting > 0 {
            self.written.behind.push(place);
        }
    }

    fn drain(&mut self, place: u32) {
        let Some(held) = self.held.get(place as usize) else { return };
        let Some(entry) = self.shared.clients.get(held.connection.id) else { return };
        let (user_data, endpoint, client) =
            (entry.value.user_data(), held.connection.endpoint, held.connection.id);
        let drain = Event { user_data, endpoint, client, ..Event::of_server(Kind::Drain, self.now.wall_ns) };
        if !self.raise(&drain) {
            self.abort(place);
        }
    }
}

/// Counts what was queued for a client, and what has left.
pub(super) fn count_sent(figures: &Figures, sent: Sent, now: Now) {
    if sent.bytes > 0 {
        figures.bytes_out.add(sent.bytes);
        figures.last_send_ns.set(now.wall_ns);
    }
    if sent.frames > 0 {
        figures.frames_out.add(sent.frames.into());
    }
    if sent.messages > 0 {
        figures.messages_out.add(sent.messages.into());
        figures.last_data_send_ns.set(now.wall_ns);
    }
}
