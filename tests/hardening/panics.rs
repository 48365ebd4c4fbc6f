//! A callback that panics costs its client, and nobody else.

use std::sync::mpsc::channel;
use std::time::Duration;

use wsgate::{Event, Handle, Kind};

use super::peer::{BINARY, CLOSE, Peer};
use super::served::{config, echo, end, push};

const INTERNAL_ERROR: [u8; 2] = 1011u16.to_be_bytes();

#[test]
fn a_panic_in_the_callback_for_log_lines_costs_nobody_anything() {
    let (report, seen) = channel();
    // The first panic is logged: the second one happens in the engine's own call.
    let server = push(config(1).0, move |server: &Handle, event: &Event<'_>| {
        let _ = report.send(event.kind);
        assert!(event.data != b"panic", "as asked");
        assert!(event.kind != Kind::Log, "a logger that fails");
        echo(server, event);
    });
    let mut unlucky = Peer::connect(server);
    let mut other = Peer::connect(server);
    unlucky.send(BINARY, b"panic");
    let (opcode, data) = unlucky.receive().unwrap();
    assert!(opcode == CLOSE && data.starts_with(&INTERNAL_ERROR), "{opcode} {data:?}");
    other.send(BINARY, b"still here");
    assert_eq!(other.receive().unwrap(), (BINARY, b"still here".to_vec()));
    end(server, Duration::from_secs(1));
    let seen: Vec<Kind> = seen.try_iter().collect();
    assert!(seen.contains(&Kind::Log), "nothing was logged: {seen:?}");
    assert_eq!(seen.iter().filter(|kind| **kind == Kind::Close).count(), 2, "{seen:?}");
}

#[test]
fn a_panic_in_the_callback_for_accept_closes_with_1011() {
    let server = push(config(1).0, |_: &Handle, event: &Event<'_>| {
        assert!(event.kind != Kind::Accept, "as asked");
    });
    let (opcode, data) = Peer::connect(server).receive().unwrap();
    assert!(opcode == CLOSE && data.starts_with(&INTERNAL_ERROR), "{opcode} {data:?}");
    end(server, Duration::ZERO);
}
