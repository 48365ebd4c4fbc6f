use super::*;

fn message(data: &[u8], client: u64) -> Event<'_> {
    Event { client, data, ..Event::of_server(Kind::Message, 1) }
}

fn queue() -> (Arc<Queue>, PullSink) {
    let queue = Queue::new(100_000).unwrap();
    (Arc::clone(&queue), PullSink::new(queue))
}

fn is_readable(queue: &Queue) -> bool {
    queue.fd.wait(Some(Duration::ZERO)).unwrap()
}

const NOW: Option<Duration> = Some(Duration::ZERO);

#[test]
fn events_come_in_order_with_their_data_however_they_are_taken() {
    for max in [0, 1, 2, 3, 100] {
        let (queue, mut sink) = queue();
        for turn in 0..3 {
            for n in 0..5 {
                sink.event(&message(format!("{}", turn * 5 + n).as_bytes(), turn * 5 + n));
            }
            sink.flush(1);
        }
        let (mut taken, mut seen) = (Taken::new(), Vec::new());
        while queue.take(&mut taken, max, NOW).unwrap() > 0 {
            assert!(max == 0 || taken.records().len() <= max);
            for record in taken.records() {
                seen.push(record.client);
                assert_eq!(taken.data(record), record.client.to_string().as_bytes());
            }
            assert_eq!(taken.pending(), 15 - seen.len() as u64);
        }
        assert_eq!(seen, (0..15).collect::<Vec<u64>>());
        assert_eq!(queue.bytes.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn the_descriptor_is_readable_exactly_while_events_wait() {
    let (queue, mut sink) = queue();
    sink.event(&message(b"before anybody asked", 1));
    sink.flush(1);
    queue.fd();
    assert!(is_readable(&queue));
    let mut taken = Taken::new();
    sink.event(&message(b"second", 2));
    sink.flush(1);
    assert_eq!(queue.take(&mut taken, 1, NOW).unwrap(), 1);
    assert!(is_readable(&queue));
    assert_eq!(queue.take(&mut taken, 0, NOW).unwrap(), 1);
    assert!(!is_readable(&queue));
    assert_eq!(queue.take(&mut taken, 0, NOW).unwrap(), 0);
}

#[test]
fn a_waiting_take_is_woken_and_times_out() {
    let (queue, mut sink) = queue();
    let mut taken = Taken::new();
    assert_eq!(queue.take(&mut taken, 0, Some(Duration::from_millis(5))).unwrap(), 0);
    let other = Arc::clone(&queue);
    let waiter = std::thread::spawn(move || {
        let mut taken = Taken::new();
        other.take(&mut taken, 0, None).unwrap()
    });
    while queue.state.lock().waiting == 0 {
        std::thread::yield_now();
    }
    sink.event(&message(b"wake up", 1));
    sink.flush(1);
    assert_eq!(waiter.join().unwrap(), 1);
}

#[test]
fn a_full_queue_holds_the_workers_back_until_there_is_room() {
    let (queue, mut sink) = queue();
    let woken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&woken);
    queue.set_wake(Box::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    }));
    while !sink.saturated() {
        sink.event(&message(&[0; 10_000], 1));
        sink.flush(1);
    }
    queue.log(&Event::of_server(Kind::Log, 0));
    assert_eq!(queue.lost_logs.load(Ordering::Relaxed), 1);
    let mut taken = Taken::new();
    while queue.take(&mut taken, 1, NOW).unwrap() > 0 {}
    assert!(!sink.saturated());
    assert_eq!(woken.load(Ordering::SeqCst), 1);
}

#[test]
fn after_stopped_there_is_nothing_more_to_take() {
    let (queue, mut sink) = queue();
    sink.event(&message(b"last words", 1));
    sink.event(&Event::of_server(Kind::Stopped, 0));
    sink.flush(1);
    let mut taken = Taken::new();
    assert_eq!(queue.take(&mut taken, 1, NOW).unwrap(), 1);
    assert_eq!(queue.take(&mut taken, 1, NOW).unwrap(), 1);
    assert_eq!(taken.records()[0].kind, Kind::Stopped as u32);
    assert_eq!(queue.take(&mut taken, 0, None).unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn what_was_taken_is_consumed_when_the_taker_comes_again() {
    let (queue, mut sink) = queue();
    let woken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&woken);
    queue.set_wake(Box::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    }));
    queue.fd();
    sink.event(&message(b"one", 1));
    sink.flush(7);
    sink.await_consumption();
    let mut taken = Taken::new();
    queue.take(&mut taken, 0, NOW).unwrap();
    assert_eq!((sink.consumed(), woken.load(Ordering::SeqCst)), (0, 1), "taken, not dealt with; told so");
    sink.await_consumption();
    assert!(is_readable(&queue), "the taker is called again, although nothing waits");
    assert_eq!(queue.take(&mut taken, 0, NOW).unwrap(), 0);
    assert_eq!((sink.consumed(), woken.load(Ordering::SeqCst)), (7, 2));
    assert!(!is_readable(&queue));
}

#[test]
fn closed_never_comes_before_stopped_was_taken() {
    let (queue, mut sink) = queue();
    sink.event(&message(b"last words", 1));
    sink.flush(1);
    sink.event(&Event::of_server(Kind::Stopped, 0)); // not published yet
    let mut taken = Taken::new();
    assert_eq!(queue.take(&mut taken, 0, NOW).unwrap(), 1);
    assert_eq!(queue.take(&mut taken, 0, NOW), Ok(0), "STOPPED is still to come");
}

#[test]
fn whoever_waits_has_dealt_with_all_that_was_taken_in_whichever_batch() {
    let (queue, mut sink) = queue();
    sink.event(&message(b"one", 1));
    sink.flush(7);
    queue.take(&mut Taken::new(), 0, NOW).unwrap();
    sink.await_consumption();
    assert_eq!(queue.take(&mut Taken::new(), 0, Some(Duration::from_millis(5))).unwrap(), 0);
    assert_eq!(sink.consumed(), 7);
}

#[test]
fn a_turn_that_was_published_in_parts_is_consumed_with_its_last_event() {
    let (queue, mut sink) = queue();
    // The first part goes out when the batch is full.
    for n in 0..=BATCH_EVENTS as u64 {
        sink.event(&message(b"m", n));
    }
    sink.flush(5);
    let mut taken = Taken::new();
    assert_eq!(queue.take(&mut taken, BATCH_EVENTS, NOW).unwrap(), BATCH_EVENTS);
    assert_eq!(queue.take(&mut taken, 0, NOW).unwrap(), 1);
    assert_eq!(sink.consumed(), 0, "the last event was taken, and not dealt with");
    queue.take(&mut taken, 0, NOW).unwrap();
    assert_eq!(sink.consumed(), 5);
}

#[test]
fn who_waits_sleeps_while_another_batch_is_dealt_with() {
    let (queue, mut sink) = queue();
    let mut dealt_with = Taken::new();
    sink.event(&message(b"takes its time", 1));
    sink.flush(1);
    queue.take(&mut dealt_with, 0, NOW).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| queue.take(&mut Taken::new(), 0, None).unwrap());
        while queue.state.lock().waiting == 0 {
            std::thread::yield_now();
        }
        sink.await_consumption();
        // A readable descriptor would have the waiter look again and again, for nothing.
        let spins = is_readable(&queue);
        sink.event(&message(b"wake up", 2));
        sink.flush(2);
        assert_eq!(waiter.join().unwrap(), 1);
        assert!(!spins);
    });
}

#[test]
fn all_who_wait_learn_of_the_end() {
    const WAITERS: u32 = 3;
    // Which of them is woken first, and by what, is for the system to choose.
    for round in 0..100 {
        let (queue, mut sink) = queue();
        let (report, ended) = std::sync::mpsc::channel();
        for _ in 0..WAITERS {
            let (queue, report) = (Arc::clone(&queue), report.clone());
            // Not joined: one that hangs fails this test.
            std::thread::spawn(move || {
                let mut taken = Taken::new();
                while queue.take(&mut taken, 0, None).is_ok() {}
                report.send(()).unwrap();
            });
        }
        while queue.state.lock().waiting < WAITERS {
            std::thread::yield_now();
        }
        sink.event(&Event::of_server(Kind::Stopped, 0));
        sink.flush(0);
        for _ in 0..WAITERS {
            let end = ended.recv_timeout(Duration::from_secs(20));
            assert!(end.is_ok(), "one still waits in round {round}");
        }
    }
}
