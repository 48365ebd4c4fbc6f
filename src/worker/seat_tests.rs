use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread::{self, ThreadId};
use std::time::Instant;

use super::*;
use crate::config::ClientId;
use crate::event::{Event, Kind, Sink};
use crate::message::Message;
use crate::worker::{Command, Poster, Shared, harness};

const PATIENCE: Duration = Duration::from_secs(10);

/// Tells what was raised, and on which thread.
struct Telling(mpsc::Sender<(Kind, ThreadId)>);

impl Sink for Telling {
    fn event(&mut self, event: &Event<'_>) {
        let _ = self.0.send((event.kind, thread::current().id()));
    }
}

/// A seat with one client; the worker's own thread is not started.
struct Fixture {
    shared: Arc<Shared>,
    events: mpsc::Receiver<(Kind, ThreadId)>,
    client: ClientId,
    peer: TcpStream,
}

impl Fixture {
    fn new() -> Self {
        let (poll, _, shared) = harness::shared();
        let (told, events) = mpsc::channel();
        let worker = Worker::new(0, poll, Arc::clone(&shared), Box::new(Telling(told))).unwrap();
        shared.seat.set(Seat::new(worker, None)).unwrap();
        let (client, peer) = harness::connect(&shared);
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { shared, events, client, peer }
    }

    fn seat(&self) -> &Seat {
        self.shared.seat.get().unwrap()
    }

    /// Starts the worker's own thread.
    fn start(&self) -> thread::JoinHandle<()> {
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || shared.seat.get().unwrap().run())
    }

    /// Leads until something was raised, and tells what and where.
    fn lead(&self) -> (Kind, ThreadId) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Ok(event) = self.events.try_recv() {
                return event;
            }
            assert!(Instant::now() < end, "nothing was raised");
            self.seat().lead(Some(Duration::from_millis(100))).unwrap();
        }
    }

    fn say(&mut self) {
        self.peer.write_all(b"\x82\x82\0\0\0\0hi").unwrap();
    }

    fn stop(&self) {
        let stop = Command::Stop { deadline: Instant::now(), last: true };
        self.shared.mailboxes[0].post(|batch| batch.commands.push(stop));
        self.shared.nudge();
    }
}

/// The worker holds what holds its seat, until it ends.
impl Drop for Fixture {
    fn drop(&mut self) {
        self.seat().vacate();
    }
}

#[test]
fn the_hosts_thread_runs_the_worker() {
    let mut fixture = Fixture::new();
    let here = thread::current().id();
    assert_eq!(fixture.lead(), (Kind::Accept, here));
    fixture.say();
    assert_eq!(fixture.lead(), (Kind::Message, here));
}

#[test]
fn what_the_host_sends_leaves_at_once() {
    let mut fixture = Fixture::new();
    fixture.lead();
    Poster::direct(&fixture.shared).send(fixture.client, Message::binary(b"yes")).unwrap();
    let mut frame = [0; 5];
    fixture.peer.read_exact(&mut frame).unwrap();
    assert_eq!(frame, *b"\x82\x03yes");
}

#[test]
fn the_workers_own_thread_serves_while_the_host_stays_away_and_gives_the_seat_back() {
    let mut fixture = Fixture::new();
    let own = fixture.start();
    let here = thread::current().id();
    fixture.events.recv_timeout(PATIENCE).unwrap();
    for _ in 0..20 {
        // Whoever serves now, the host gets the seat...
        assert!(fixture.seat().lead(Some(Duration::ZERO)).unwrap());
        // ... and need not come again for the client to be served.
        fixture.say();
        let (kind, thread) = fixture.events.recv_timeout(PATIENCE).unwrap();
        assert!(kind == Kind::Message && thread != here);
    }
    fixture.stop();
    own.join().unwrap();
}

#[test]
fn another_threads_send_waits_for_nobody() {
    let mut fixture = Fixture::new();
    let own = fixture.start();
    fixture.events.recv_timeout(PATIENCE).unwrap();
    for _ in 0..20 {
        assert!(fixture.seat().lead(Some(Duration::ZERO)).unwrap());
        let (shared, client) = (Arc::clone(&fixture.shared), fixture.client);
        thread::spawn(move || Poster::direct(&shared).send(client, Message::binary(b"yes")).unwrap())
            .join()
            .unwrap();
        let mut frame = [0; 5];
        fixture.peer.read_exact(&mut frame).unwrap();
        assert_eq!(frame, *b"\x82\x03yes");
    }
    fixture.stop();
    own.join().unwrap();
}

#[test]
fn a_second_guest_is_refused_and_the_workers_own_thread_serves_from_then_on() {
    let mut fixture = Fixture::new();
    let own = fixture.start();
    fixture.events.recv_timeout(PATIENCE).unwrap();
    let seat = fixture.seat();
    thread::scope(|scope| {
        let first = scope.spawn(|| while seat.lead(None).unwrap() {});
        // Until the first is there.
        while seat.lead(Some(Duration::ZERO)).unwrap() {}
        fixture.shared.mailboxes[0].wake();
        first.join().unwrap();
    });
    let here = thread::current().id();
    fixture.say();
    let (kind, thread) = fixture.events.recv_timeout(PATIENCE).unwrap();
    assert!(kind == Kind::Message && thread != here);
    assert!(!fixture.seat().lead(None).unwrap());
    fixture.stop();
    own.join().unwrap();
}

#[test]
fn the_end_of_the_worker_sends_the_host_away() {
    let fixture = Fixture::new();
    let own = fixture.start();
    fixture.events.recv_timeout(PATIENCE).unwrap();
    let seat = fixture.seat();
    thread::scope(|scope| {
        scope.spawn(|| while seat.lead(None).unwrap() {});
        fixture.stop();
    });
    own.join().unwrap();
    assert_eq!(fixture.events.recv_timeout(PATIENCE).unwrap().0, Kind::Close);
    assert!(fixture.shared.mailboxes[0].has_ended());
}
