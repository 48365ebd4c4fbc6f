//! Guests who come and leave, and the worker's own thread that watches, in every order in which they can meet: a wake-up
//! that is lost is a deadlock. A tick is over at once here, whenever the watch looks.

use std::sync::Arc;

use loom::thread;

use super::*;

fn model(f: impl Fn(Arc<Standby>) + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || f(Arc::new(Standby::new())));
}

fn watch(standby: &Arc<Standby>) -> thread::JoinHandle<()> {
    let standby = Arc::clone(standby);
    thread::spawn(move || standby.watch(|| false))
}

#[test]
fn when_the_guest_has_left_the_workers_own_thread_serves() {
    model(|standby| {
        let guest = standby.arrive();
        let own = watch(&standby);
        drop(guest);
        own.join().unwrap();
    });
}

#[test]
fn a_guest_who_comes_again_and_leaves_is_not_slept_through() {
    model(|standby| {
        let own = watch(&standby);
        for _ in 0..2 {
            drop(standby.arrive());
        }
        own.join().unwrap();
    });
}

#[test]
fn a_summons_is_followed_although_the_guest_stays() {
    model(|standby| {
        let guest = standby.arrive();
        let own = watch(&standby);
        standby.summon();
        own.join().unwrap();
        drop(guest);
    });
}

#[test]
fn of_two_guests_one_at_a_time_is_let_in() {
    model(|standby| {
        let inside = Arc::new(AtomicBool::new(false));
        let visit = |standby: &Standby, inside: &AtomicBool| {
            let Some(_guest) = standby.arrive() else { return };
            assert!(!inside.swap(true, Ordering::SeqCst), "two are in at once");
            inside.swap(false, Ordering::SeqCst);
        };
        let other = {
            let (standby, inside) = (Arc::clone(&standby), Arc::clone(&inside));
            thread::spawn(move || visit(&standby, &inside))
        };
        visit(&standby, &inside);
        other.join().unwrap();
    });
}
