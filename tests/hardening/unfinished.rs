//! Connections that never finish their request cost honest peers nothing.
//!
//! `WSGATE_UNFINISHED=10000` sets how many there are; they are another process's, whose descriptors are its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wsgate::Event;

use super::process::alone;
use super::served::{PATIENCE, config, end, push};

/// Where the other process connects to, and how often.
const TARGET: &str = "WSGATE_TEST_TARGET";

#[test]
fn unfinished_requests_do_not_slow_honest_ones_down() {
    alone("unfinished::unfinished_requests_do_not_slow_honest_ones_down", || {
        let count =
            std::env::var("WSGATE_UNFINISHED").ok().and_then(|count| count.parse().ok()).unwrap_or(1000);
        let (mut config, _) = config(1);
        config.set_header_timeout(60_000).unwrap();
        let server = push(config, |_, _: &Event<'_>| {});
        let port = server.port(0).unwrap();
        let usual = median(port);
        let mut attacker = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "unfinished::those_that_never_finish", "--nocapture"])
            .env(TARGET, format!("{port} {count}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(attacker.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("ready")), "the attacker failed");
        let deadline = Instant::now() + PATIENCE;
        while server.info().unwrap().connections < count {
            assert!(Instant::now() < deadline, "{} of {count} are here", server.info().unwrap().connections);
            std::thread::sleep(Duration::from_millis(1));
        }
        let beside = median(port);
        let figures = format!("a request takes {usual:?}, beside {count} unfinished ones {beside:?}\n");
        std::io::stderr().write_all(figures.as_bytes()).unwrap();
        // What is quick anyhow may be slowed down by what a busy machine does.
        assert!(beside < (2 * usual).max(usual + Duration::from_millis(2)), "{usual:?} became {beside:?}");
        drop(attacker.stdin.take());
        attacker.wait().unwrap();
        end(server, Duration::ZERO);
    });
}

/// How long a request takes, with its connection.
fn median(port: u16) -> Duration {
    let mut took: Vec<Duration> = (0..200)
        .map(|_| {
            let began = Instant::now();
            let mut peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
            peer.set_read_timeout(Some(PATIENCE)).unwrap();
            peer.write_all(b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            peer.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
            began.elapsed()
        })
        .collect();
    took.sort();
    took[took.len() / 2]
}

/// The other process: nothing, unless it is told where to.
#[test]
fn those_that_never_finish() {
    let Ok(target) = std::env::var(TARGET) else { return };
    let (port, count) = target.split_once(' ').unwrap();
    let (port, count): (u16, usize) = (port.parse().unwrap(), count.parse().unwrap());
    let unfinished: Vec<TcpStream> = (0..count)
        .map(|_| {
            let mut peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
            peer.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Endless: ").unwrap();
            peer
        })
        .collect();
    std::io::stdout().write_all(b"ready\n").unwrap();
    // Until the test lets go of this process.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(unfinished);
}
