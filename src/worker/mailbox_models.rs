//! Posting, parking and waking, in every order in which threads can meet: a lost wake-up is a deadlock.

use loom::thread;

use super::*;

fn mailbox() -> Arc<Mailbox> {
    Arc::new(Mailbox::new(Waker::new()))
}

fn post(mailbox: &Mailbox, gateway: u64, reach: usize) -> bool {
    mailbox.post(|batch| {
        batch.commands.push(Command::Retire { gateway });
        batch.reach += reach;
    })
}

/// A worker's turns, until it has so many commands.
fn work(mailbox: &Mailbox, count: usize) -> Vec<u64> {
    let (mut taken, mut batch) = (Vec::new(), Batch::default());
    while taken.len() < count {
        if mailbox.park() {
            mailbox.waker.sleep();
        }
        mailbox.unpark();
        mailbox.take(&mut batch);
        taken.extend(batch.commands.drain(..).map(|command| match command {
            Command::Retire { gateway } => gateway,
            other => panic!("{other:?}"),
        }));
        batch.clear();
    }
    taken
}

fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(f);
}

#[test]
fn what_is_posted_is_carried_out_however_the_worker_falls_asleep() {
    model(|| {
        let mailbox = mailbox();
        let posters: Vec<_> = [1, 2]
            .map(|gateway| {
                let mailbox = Arc::clone(&mailbox);
                thread::spawn(move || assert!(post(&mailbox, gateway, 0)))
            })
            .into();
        let mut taken = work(&mailbox, 2);
        posters.into_iter().for_each(|poster| poster.join().unwrap());
        taken.sort_unstable();
        assert_eq!(taken, [1, 2]);
        assert!(!mailbox.is_filled());
    });
}

#[test]
fn one_posters_commands_keep_their_order_in_batches_of_their_own() {
    model(|| {
        let mailbox = mailbox();
        let poster = {
            let mailbox = Arc::clone(&mailbox);
            thread::spawn(move || (1..4).for_each(|gateway| assert!(post(&mailbox, gateway, REACH))))
        };
        assert_eq!(work(&mailbox, 3), [1, 2, 3]);
        poster.join().unwrap();
    });
}

#[test]
fn what_is_posted_as_the_worker_ends_is_refused_or_handed_back() {
    model(|| {
        let mailbox = mailbox();
        let poster = {
            let mailbox = Arc::clone(&mailbox);
            thread::spawn(move || post(&mailbox, 1, 0))
        };
        let left = mailbox.end().count();
        assert_eq!(poster.join().unwrap(), left == 1);
    });
}

#[test]
fn whoever_calls_for_the_worker_is_not_slept_through() {
    model(|| {
        let mailbox = mailbox();
        let caller = {
            let mailbox = Arc::clone(&mailbox);
            thread::spawn(move || mailbox.call(true))
        };
        while !mailbox.is_called() {
            if mailbox.park() {
                mailbox.waker.sleep();
            }
            mailbox.unpark();
        }
        caller.join().unwrap();
    });
}
