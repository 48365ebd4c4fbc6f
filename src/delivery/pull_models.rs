//! Publishing, taking and the descriptor, in every order in which threads can meet: a lost wake-up is a
//! deadlock.

use loom::sync::Notify;
use loom::thread;

use super::*;

fn event(client: u64) -> Event<'static> {
    Event { client, ..Event::of_server(Kind::Message, 1) }
}

fn publish(sink: &mut PullSink, client: u64) {
    sink.event(&event(client));
    sink.flush(client);
}

fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(f);
}

#[test]
fn whoever_waits_gets_each_event_once_and_in_order() {
    model(|| {
        let queue = Queue::new(1000).unwrap();
        let worker = {
            let mut sink = PullSink::new(Arc::clone(&queue));
            thread::spawn(move || (1..3).for_each(|client| publish(&mut sink, client)))
        };
        let (mut taken, mut seen) = (Taken::new(), Vec::new());
        while seen.len() < 2 {
            assert!(queue.take(&mut taken, 1, None).unwrap() == 1);
            seen.extend(taken.records().iter().map(|record| record.client));
        }
        worker.join().unwrap();
        assert_eq!(seen, [1, 2]);
        assert_eq!(queue.bytes(), 0);
    });
}

#[test]
fn the_descriptor_tells_of_what_was_left() {
    model(|| {
        let queue = Queue::new(1000).unwrap();
        queue.fd();
        let worker = {
            let mut sink = PullSink::new(Arc::clone(&queue));
            thread::spawn(move || publish(&mut sink, 1))
        };
        let mut taken = Taken::new();
        let now = Some(Duration::ZERO);
        let early = queue.take(&mut taken, 0, now).unwrap();
        worker.join().unwrap();
        assert_eq!(queue.fd.wait(now).unwrap(), early == 0);
        assert_eq!(queue.take(&mut taken, 0, now).unwrap(), 1 - early);
        assert!(!queue.fd.wait(now).unwrap());
    });
}

#[test]
fn a_worker_that_is_held_back_is_woken_when_there_is_room() {
    model(|| {
        // Over its limit with the first event.
        let queue = Queue::new(1).unwrap();
        let room = Arc::new(Notify::new());
        let woken = Arc::clone(&room);
        queue.set_wake(Box::new(move || woken.notify()));
        let mut sink = PullSink::new(Arc::clone(&queue));
        publish(&mut sink, 1);
        let taker = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || assert_eq!(queue.take(&mut Taken::new(), 0, None), Ok(1)))
        };
        while sink.saturated() {
            room.wait();
        }
        taker.join().unwrap();
    });
}

#[test]
fn all_takers_learn_of_the_end() {
    model(|| {
        let queue = Queue::new(1000).unwrap();
        let taker = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || while queue.take(&mut Taken::new(), 0, None).is_ok() {})
        };
        let mut sink = PullSink::new(Arc::clone(&queue));
        sink.event(&Event::of_server(Kind::Stopped, 0));
        sink.flush(0);
        while queue.take(&mut Taken::new(), 0, None).is_ok() {}
        taker.join().unwrap();
    });
}
