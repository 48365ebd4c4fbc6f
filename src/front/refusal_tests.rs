//! Raw bytes in, raw bytes out: what a front door answers to what is no good, and what it says then.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::harness::{Directory, HANDSHAKE, PATIENCE, Running};
use crate::config::Config;

/// One line of docs/http.md: what is sent, and the status, the headers but for the usual, and the body that come.
struct Case {
    sent: String,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    closes: bool,
}

fn case(
    sent: impl Into<String>,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    closes: bool,
) -> Case {
    Case { sent: sent.into(), status, headers, body, closes }
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: example.org\r\n\r\n")
}

fn with(line: &str) -> String {
    HANDSHAKE.replace("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"))
}

const UPGRADE: &[(&str, &str)] = &[("upgrade", "websocket"), ("connection", "Upgrade")];
const VERSION: &[(&str, &str)] =
    &[("sec-websocket-version", "13"), ("upgrade", "websocket"), ("connection", "Upgrade")];
const CLOSE: &[(&str, &str)] = &[("connection", "close")];
const MALFORMED: &str = "The request is malformed";
const BARE: &str = "A line of the request does not end in CR LF";
const LENGTH: &str = "Content-Length is not one number";
const TARGET: &str = "The target is not a path";
const PATH: &str = "The path is not a plain one";

/// What the server says of a handshake that is none. The connection goes on.
fn handshakes() -> Vec<Case> {
    vec![
        case(
            HANDSHAKE.replace("GET", "POST"),
            405,
            &[("allow", "GET")],
            "A WebSocket handshake is a GET request",
            false,
        ),
        case(HANDSHAKE.replace("GET", "HEAD"), 405, &[("allow", "GET")], "", false),
        case(
            HANDSHAKE.replace("/1.1", "/1.0"),
            505,
            &[("upgrade", "websocket")],
            "A WebSocket handshake needs HTTP/1.1",
            true,
        ),
        case(with("Content-Length: 2") + "hi", 400, &[], "A WebSocket handshake has no body", false),
        case(
            with("Transfer-Encoding: chunked") + "2\r\nhi\r\n0\r\n\r\n",
            400,
            CLOSE,
            "A WebSocket handshake has no body",
            true,
        ),
        case(
            HANDSHAKE.replace("Upgrade: websocket\r\n", ""),
            426,
            UPGRADE,
            "This is a WebSocket endpoint: \"Upgrade: websocket\" is missing",
            false,
        ),
        case(
            HANDSHAKE.replace("Connection: Upgrade\r\n", ""),
            426,
            UPGRADE,
            "This is a WebSocket endpoint: \"Connection: Upgrade\" is missing",
            false,
        ),
        case(
            HANDSHAKE.replace("Sec-WebSocket-Key", "X"),
            400,
            &[],
            "A WebSocket handshake has one Sec-WebSocket-Key",
            false,
        ),
        case(
            with("Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA=="),
            400,
            &[],
            "A WebSocket handshake has one Sec-WebSocket-Key",
            false,
        ),
        case(HANDSHAKE.replace("ZQ==", "ZQ"), 400, &[], "Sec-WebSocket-Key is not 16 bytes in base64", false),
        case(HANDSHAKE.replace(": 13", ": 8"), 426, VERSION, "Sec-WebSocket-Version 13 is required", false),
        case(HANDSHAKE.replace("http://example.org", "http://evil.org"), 403, &[], "Origin forbidden", false),
        case(HANDSHAKE.replace("Origin", "X-Origin"), 403, &[], "Origin forbidden", false),
    ]
}

/// What is no sound request at all. The connection ends, as nobody knows where the next one would begin.
fn malformed() -> Vec<Case> {
    let closing = |sent: String, status, body| case(sent, status, CLOSE, body, true);
    vec![
        closing("\x16\x03\x01\x02\x00\x01".into(), 400, MALFORMED),
        closing("garbage\r\n\r\n".into(), 400, MALFORMED),
        closing("GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n".into(), 400, MALFORMED),
        closing("GET / HTTP/1.1\r\nHost: x\r\nSpace : x\r\n\r\n".into(), 400, MALFORMED),
        closing("GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n folded\r\n\r\n".into(), 400, MALFORMED),
        closing("GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n".into(), 400, MALFORMED),
        closing("GET  / HTTP/1.1\r\nHost: x\r\n\r\n".into(), 400, MALFORMED),
        closing("GET / HTTP/1.1\nHost: x\n\n".into(), 400, BARE),
        closing("GET / HTTP/1.1\r\nHost: x\n\r\n".into(), 400, BARE),
        closing("GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n".into(), 400, BARE),
        closing("GET / HTTP/2.0\r\nHost: x\r\n\r\n".into(), 505, "The version is not HTTP/1.1 or HTTP/1.0"),
        closing("GET / HTTP/1.2\r\nHost: x\r\n\r\n".into(), 505, "The version is not HTTP/1.1 or HTTP/1.0"),
        closing("GET / HTTP/1.1\r\n\r\n".into(), 400, "A request has a Host"),
        closing("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into(), 400, "A request has one Host"),
        closing("GET / HTTP/1.1\r\nHost: a b\r\n\r\n".into(), 400, "The Host is not a host and a port"),
        closing(with("Content-Length: 2\r\nContent-Length: 2") + "hi", 400, LENGTH),
        closing(with("Content-Length: 2, 2") + "hi", 400, LENGTH),
        closing(with("Content-Length: -1"), 400, LENGTH),
        closing(with("Content-Length: +2") + "hi", 400, LENGTH),
        closing(with("Content-Length:"), 400, LENGTH),
        closing(
            with("Content-Length: 2\r\nTransfer-Encoding: chunked") + "2\r\nhi\r\n0\r\n\r\n",
            400,
            "The length of the body is told in two ways",
        ),
        closing(
            with("Transfer-Encoding: chunked").replace("/1.1", "/1.0") + "0\r\n\r\n",
            400,
            "The length of the body is told in two ways",
        ),
        closing(with("Transfer-Encoding: gzip"), 501, "The only transfer coding is chunked"),
        closing(get("http://elsewhere.org/chat"), 400, "The target has another host than Host"),
        closing(get("ftp://example.org/"), 400, TARGET),
        closing(get("chat"), 400, TARGET),
        closing(get("/chat#x"), 400, TARGET),
        closing(get("*"), 400, TARGET),
        closing(with(&format!("X: {}", "x".repeat(33_000))), 431, "The request's head is too large"),
        closing(with("X: x\r\n".repeat(100).trim_end()), 431, "The request's head is too large"),
    ]
}

/// What is a request, for something that is not there or not allowed.
fn others() -> Vec<Case> {
    let allow: &[(&str, &str)] = &[("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")];
    let mut cases = vec![
        case(get("/nothing"), 404, &[], "Not found", false),
        case(get("//chat"), 404, &[], "Not found", false),
        case(get("/%63hat"), 404, &[], "Not found", false),
        case(get("http://example.org/nothing"), 404, &[], "Not found", false),
        case("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404, &[], "Not found", false),
        case("TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405, allow, "The method is not allowed", false),
        case("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", 405, allow, "The method is not allowed", false),
    ];
    for path in ["/../x", "/a/./b", "/%2e%2e/x", "/..%2fx", "/..%5cx", "/..\\x", "/%00", "/%zz", "/%ff"] {
        cases.push(case(get(path), 400, &[], PATH, false));
    }
    cases
}

fn check(front: &Running, case: &Case) {
    let sent = &case.sent;
    let mut peer = front.connect();
    peer.send(sent.as_bytes());
    let answer = peer.answer(!sent.starts_with("HEAD"));
    assert_eq!(answer.status(), case.status, "{sent:?}\n{}", answer.head);
    assert_eq!(String::from_utf8_lossy(&answer.body), case.body, "{sent:?}");
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{sent:?}");
    assert!(answer.header("date").is_some(), "{sent:?}");
    for (name, value) in case.headers {
        assert_eq!(answer.header(name), Some(*value), "{sent:?}\n{}", answer.head);
    }
    // Status line, the three that each response has, the empty line's two ends.
    let lines = answer.head.lines().filter(|line| line.contains(": ")).count();
    let length = 1; // content-length
    let closing = usize::from(case.closes && !case.headers.contains(&("connection", "close")));
    assert!(lines <= 2 + length + case.headers.len() + closing, "more than expected: {}", answer.head);
    if case.closes {
        assert!(peer.is_closed(), "{sent:?}");
    } else {
        assert_eq!(peer.ask(HANDSHAKE).status(), 101, "{sent:?} left the connection as it was");
        front.adopted();
    }
    assert!(front.adopted.try_recv().is_err(), "{sent:?} was not handed over");
}

#[test]
fn each_refusal_has_its_status_its_headers_and_its_words() {
    let front = Running::start(None);
    for case in handshakes().iter().chain(&malformed()).chain(&others()) {
        check(&front, case);
    }
    let refused = front.census.bad_requests.load(Ordering::Relaxed);
    assert_eq!(refused, malformed().len() as u64);
}

#[test]
fn refusals_stand_in_line_with_the_responses_before_them() {
    let front = Running::start(None);
    let mut peer = front.connect();
    peer.send(format!("{}{}GET / HTTP/1.1\nbad", get("/one"), get("/two")).as_bytes());
    assert_eq!((peer.answer(true).status(), peer.answer(true).status()), (404, 404));
    let last = peer.answer(true);
    assert_eq!((last.status(), last.header("connection")), (400, Some("close")));
    assert!(peer.is_closed());
}

#[test]
fn nothing_is_smuggled_behind_a_body() {
    let mut config = Config::new();
    config.set_requests(true);
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let front = Running::serving(
        &config,
        Arc::default(),
        Box::new(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            false
        }),
    );
    // Behind chunks the connection ends: what follows them is nobody's request.
    let mut peer = front.connect();
    peer.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    peer.send(get("/smuggled").as_bytes());
    let answer = peer.answer(true);
    assert_eq!((answer.status(), answer.header("connection")), (500, Some("close")));
    assert!(peer.is_closed());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // A body that looks like a request is a body.
    let body = get("/smuggled");
    let mut peer = front.connect();
    peer.send(
        format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes(),
    );
    assert_eq!(peer.answer(true).status(), 500);
    assert_eq!(peer.ask(&get("/next")).status(), 500);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[test]
fn an_empty_line_before_a_request_is_passed_over() {
    let front = Running::start(None);
    let mut peer = front.connect();
    for _ in 0..2 {
        assert_eq!(peer.ask(&format!("\r\n\r\n{}", get("/nothing"))).status(), 404);
    }
}

/// A front with every timeout at these milliseconds, and a file that no socket's buffers hold.
fn hurried(milliseconds: u64) -> (Running, Directory) {
    let directory = Directory::new();
    directory.write("public/large.txt", &"x".repeat(32 << 20));
    let mut config = Config::new();
    config.set_directory(directory.public()).unwrap();
    config.set_requests(true);
    config.set_header_timeout(milliseconds).unwrap();
    config.set_body_timeout(milliseconds).unwrap();
    config.set_idle_timeout(milliseconds).unwrap();
    config.set_write_timeout(milliseconds).unwrap();
    (Running::serving(&config, Arc::default(), Box::new(|_| true)), directory)
}

fn await_count(counter: &AtomicU64, expected: u64) {
    let until = Instant::now() + PATIENCE;
    while counter.load(Ordering::Relaxed) != expected {
        assert!(Instant::now() < until, "{counter:?} is not {expected}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_head_that_does_not_come_in_time_gets_408() {
    let (front, _directory) = hurried(50);
    let mut peer = front.connect();
    peer.send(b"GET / HTTP/1.1\r\nHost:");
    let answer = peer.answer(true);
    assert_eq!((answer.status(), answer.header("connection")), (408, Some("close")));
    assert_eq!(answer.body, b"The request's head did not come in time");
    assert!(peer.is_closed());
    assert_eq!(front.census.header_timeouts.load(Ordering::Relaxed), 1);
    // The second one has as much time as the first.
    let mut peer = front.connect();
    assert_eq!(peer.ask(&get("/plain.txt")).status(), 200);
    peer.send(b"G");
    assert_eq!(peer.answer(true).status(), 408);
}

#[test]
fn a_connection_that_asks_nothing_is_closed_without_a_word() {
    let (front, _directory) = hurried(50);
    assert!(front.connect().is_closed());
    let mut peer = front.connect();
    assert_eq!(peer.ask(&get("/plain.txt")).status(), 200);
    assert!(peer.is_closed());
    assert_eq!(front.census.idle_timeouts.load(Ordering::Relaxed), 2);
}

#[test]
fn a_body_that_does_not_come_in_time_gets_408() {
    let (front, _directory) = hurried(50);
    let mut peer = front.connect();
    let answer = peer.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhi");
    assert_eq!((answer.status(), answer.header("connection")), (408, Some("close")));
    assert!(peer.is_closed());
    assert_eq!(front.census.body_timeouts.load(Ordering::Relaxed), 1);
}

#[test]
fn who_takes_nothing_of_a_response_is_cut_and_who_takes_it_slowly_is_not() {
    let (front, _directory) = hurried(200);
    let mut stuck = front.connect();
    stuck.send(get("/large.txt").as_bytes());
    let mut slow = front.connect();
    slow.send(get("/large.txt").as_bytes());
    let mut taken = 0;
    let mut part = vec![0; 1 << 20];
    while taken < 32 << 20 {
        let count = slow.0.read(&mut part).unwrap();
        assert!(count > 0, "cut after {taken} bytes");
        taken += count;
        std::thread::sleep(Duration::from_millis(2));
    }
    await_count(&front.census.write_timeouts, 1);
    drop(stuck);
}

#[test]
fn over_the_limit_a_connection_is_told_so_however_little_it_reads() {
    let mut config = Config::new();
    config.add_endpoint("/chat").unwrap();
    config.set_max_connections(2).unwrap();
    let front = Running::serving(&config, Arc::default(), Box::new(|_| true));
    let (mut first, second) = (front.connect(), front.connect());
    assert_eq!(first.ask(&get("/x")).status(), 404);
    await_count(&front.census.connections_total, 2);
    let mut third = front.connect();
    // A peer that has sent much before it reads still learns why.
    let _ = third.0.write_all(HANDSHAKE.as_bytes());
    let answer = third.answer(true);
    assert_eq!((answer.status(), answer.header("connection")), (503, Some("close")));
    assert_eq!(answer.body, b"There are too many connections");
    assert!(third.is_closed());
    assert_eq!(front.census.connections_refused.load(Ordering::Relaxed), 1);
    drop(second);
    // There is room again as soon as the front has seen that one leave.
    let until = Instant::now() + PATIENCE;
    while front.ask(&get("/x")).status() != 404 {
        assert!(Instant::now() < until);
    }
    // A client stays a connection for as long as its socket is somebody's.
    assert_eq!(first.ask(HANDSHAKE).status(), 101);
    let client = front.adopted();
    let _second = {
        let mut second = front.connect();
        assert_eq!(second.ask(&get("/x")).status(), 404);
        second
    };
    assert_eq!(front.get("/x").status(), 503);
    drop(client);
    assert_eq!(front.get("/x").status(), 404);
}
