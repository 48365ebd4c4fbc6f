use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use super::*;
use crate::config::Config;
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
    let mut config = Config::new();
    config.add_endpoint("/").unwrap();
    let (poll, mailbox) = pair(WAKER).unwrap();
    let shared = Arc::new(Shared {
        clients: Table::default(),
        gateways: Arc::clone(&config.gateways),
        outcomes: Outcomes::new(1000),
        endpoints: config.endpoints,
        mailboxes: vec![Arc::clone(&mailbox)],
        seat: OnceCell::new(),
        arrivals: AtomicUsize::new(0),
        evicted: AtomicU64::new(0),
        overloads: AtomicU64::new(0),
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();
    let (seen, events) = mpsc::channel();
    let worker = {
        let (shared, mailbox) = (Arc::clone(&shared), Arc::clone(&mailbox));
        std::thread::spawn(move || {
            let sink = Unlucky { full: Arc::default(), asked: AtomicU64::new(0), mailbox, seen };
            Worker::<Rc<Desk>>::new(0, poll, shared, Box::new(sink)).unwrap().run();
        })
    };
    let settings = shared.endpoints[0].clone();
    let id = shared.clients.insert(|id, client| client.prepare(id, 0, 0, &settings, 1)).unwrap();
    mailbox.clients.fetch_add(1, Ordering::Relaxed);
    let socket = crate::socket::Socket::Tcp(stream);
    let arrival = Arrival { socket, early: bytes::Bytes::new(), permit: None };
    let adopt = Adopt { id, arrival, endpoint: 0, request: Some(Vec::new()) };
    mailbox.post(|batch| batch.commands.push(Command::Adopt(Box::new(adopt))));
    let patience = Duration::from_secs(3);
    assert_eq!(events.recv_timeout(patience), Ok(Kind::Accept));
    peer.write_all(b"\x82\x82\0\0\0\0hi").unwrap();
    let message = events.recv_timeout(patience);
    mailbox.post(|batch| batch.commands.push(Command::Stop { deadline: Instant::now(), last: true }));
    worker.join().unwrap();
    assert_eq!(message, Ok(Kind::Message), "the worker sleeps although it may read");
}
