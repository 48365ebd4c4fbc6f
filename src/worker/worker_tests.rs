use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use super::*;
use crate::error::ErrorKind;
use crate::event::Kind;

/// A pull sink whose taker comes at the worst moment: right after the worker was told that the queue is full.
struct Unlucky {
    full: Arc<AtomicBool>,
    asked: AtomicU64,
    mailbox: Arc<Mailbox>,
    seen: mpsc::Sender<Kind>,
}

impl Sink for Unlucky {
    fn event(&mut self, event: &Event<'_>) {
        if event.kind == Kind::Accept {
            self.full.store(true, Ordering::SeqCst);
        }
        let _ = self.seen.send(event.kind);
    }

    fn saturated(&self) -> bool {
        let full = self.full.load(Ordering::SeqCst);
        // In read_ready it stays full; the taker comes between wait()'s question and park().
        if full && self.asked.fetch_add(1, Ordering::SeqCst) >= 1 {
            self.full.store(false, Ordering::SeqCst);
            self.mailbox.wake(); // Queue::let_read
        }
        full
    }
}

#[test]
fn room_made_while_the_worker_falls_asleep_is_noticed() {
    let (poll, mailbox, shared) = harness::shared();
    let (seen, events) = mpsc::channel();
    let worker = {
        let (shared, mailbox) = (Arc::clone(&shared), Arc::clone(&mailbox));
        std::thread::spawn(move || {
            let sink = Unlucky { full: Arc::default(), asked: AtomicU64::new(0), mailbox, seen };
            Worker::<Rc<Desk>>::new(0, poll, shared, Box::new(sink)).unwrap().run();
        })
    };
    let (_, mut peer) = harness::connect(&shared);
    let patience = Duration::from_secs(3);
    assert_eq!(events.recv_timeout(patience), Ok(Kind::Accept));
    peer.write_all(b"\x82\x82\0\0\0\0hi").unwrap();
    let message = events.recv_timeout(patience);
    mailbox.post(|batch| batch.commands.push(Command::Stop { deadline: Instant::now(), last: true }));
    worker.join().unwrap();
    assert_eq!(message, Ok(Kind::Message), "the worker sleeps although it may read");
}

/// The worker is not started: nothing is carried out.
#[test]
fn what_may_wait_for_a_busy_worker_is_bounded_whatever_it_is() {
    let (_poll, mailbox, shared) = harness::shared();
    let (client, _peer) = harness::connect(&shared);
    let gateway = shared.gateways.create().unwrap();
    let mut poster = Poster::direct(&shared);
    let mut calls = 0_usize;
    let refused = loop {
        calls += 3;
        let all = [poster.ping(client, 0), poster.join(gateway, client), poster.leave(gateway, client)];
        if let Some(error) = all.into_iter().find_map(Result::err) {
            break error;
        }
        assert!(calls < 1 << 22, "they wait without an end");
    };
    assert_eq!(refused.kind(), ErrorKind::Full);
    let mut batch = Batch::default();
    mailbox.take(&mut batch);
    assert!(batch.commands.len() * size_of::<Command>() <= 64 << 20);
    mailbox.release(batch.reserved);
    poster.ping(client, 0).unwrap();
}
