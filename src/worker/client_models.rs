//! The table of clients and the reservation words, in every order in which threads can meet.

use std::sync::Arc;

use loom::thread;

use super::*;
use crate::config::Pattern;
use crate::ids::Table;

fn settings() -> Endpoint {
    Endpoint { outbox_bytes: 100, outbox_messages: 3, ..Endpoint::new(Pattern::parse("/").unwrap()) }
}

fn insert(table: &Table<Client>) -> u64 {
    table.insert(|id, client| client.prepare(id, 0, 0, &settings(), 0)).unwrap()
}

#[test]
fn a_send_to_a_stale_id_never_touches_the_places_next_owner() {
    loom::model(|| {
        let table: Arc<Table<Client>> = Arc::default();
        let first = insert(&table);
        let sender = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                let Some(entry) = table.get(first) else { return };
                if entry.reserve(first, 60).is_ok() {
                    entry.value.begin_close(first);
                }
            })
        };
        assert!(table.remove(first));
        let second = insert(&table);
        let entry = table.get(second).unwrap();
        assert_eq!(entry.reserve(second, 10), Ok(()));
        sender.join().unwrap();
        assert_eq!(entry.value.queued_bytes(), 10);
        assert!(!entry.value.is_closing());
        assert!(table.get(first).is_none());
    });
}

#[test]
fn two_that_make_clients_stale_do_it_once() {
    loom::model(|| {
        let table: Arc<Table<Client>> = Arc::default();
        let id = insert(&table);
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.remove(id))
        };
        let here = table.remove(id);
        assert!(here != other.join().unwrap());
        let (one, two) = (insert(&table), insert(&table));
        assert_ne!(one & 0xff_ffff, two & 0xff_ffff, "one place has two owners");
    });
}

#[test]
fn reservations_never_pass_the_limit_together() {
    loom::model(|| {
        let table: Arc<Table<Client>> = Arc::default();
        let id = insert(&table);
        assert_eq!(table.get(id).unwrap().reserve(id, 50), Ok(()));
        let reserve = move |table: &Table<Client>| table.get(id).unwrap().reserve(id, 30).is_ok();
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || reserve(&table))
        };
        let here = reserve(&table);
        let both = here && other.join().unwrap();
        assert!(!both);
        assert_eq!(table.get(id).unwrap().value.queued_bytes(), 80);
    });
}

#[test]
fn whoever_was_refused_is_told_when_there_is_room() {
    loom::model(|| {
        let table: Arc<Table<Client>> = Arc::default();
        let id = insert(&table);
        assert_eq!(table.get(id).unwrap().reserve(id, 100), Ok(()));
        let worker = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                let client = &table.get(id).unwrap().value;
                client.adjust(-100, -1);
                client.drained()
            })
        };
        let refused = table.get(id).unwrap().reserve(id, 60) == Err(Refused::Full);
        let told = worker.join().unwrap();
        assert!(!refused || told, "FULL, and no DRAIN");
    });
}
