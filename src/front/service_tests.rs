//! What waits for the application, over real sockets: each question ends once, whoever is first.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak, mpsc};
use std::time::Duration;

use hyper::header::HeaderMap;

use super::super::answer::{Answer, handshake_fields};
use super::super::harness::{HANDSHAKE, PATIENCE, Running};
use super::super::request::Request as Parsed;
use super::super::{Newcomer, Pending};
use super::*;
use crate::config::Config;
use crate::event::{self, Event, Kind};

/// An event that outlives its call.
#[derive(Debug)]
struct Seen {
    kind: Kind,
    id: u64,
    code: u32,
    flags: u32,
    data: Vec<u8>,
}

fn config(timeout_ms: u64) -> Config {
    let mut config = Config::new();
    let endpoint = config.add_endpoint("/chat").unwrap();
    config.set_acceptor(endpoint, true).unwrap();
    config.set_handshake_timeout(endpoint, timeout_ms).unwrap();
    config.add_subprotocol(endpoint, "v1").unwrap();
    config
}

/// A front whose events come out of the channel.
fn start(config: &Config) -> (Running, mpsc::Receiver<Seen>) {
    let (sender, events) = mpsc::channel();
    let on_event = move |event: &Event<'_>| {
        let Event { kind, client: id, code, flags, .. } = *event;
        sender.send(Seen { kind, id, code, flags, data: event.data.to_vec() }).unwrap();
        true
    };
    (Running::serving(config, Arc::default(), Box::new(on_event)), events)
}

fn next(events: &mpsc::Receiver<Seen>, kind: Kind) -> Seen {
    let event = events.recv_timeout(PATIENCE).unwrap();
    assert_eq!(event.kind, kind, "{event:?}");
    event
}

fn accept(front: &Running, id: u64, subprotocol: Option<&str>) -> crate::Result<()> {
    front.pending.accept(id, subprotocol, HeaderMap::new(), 0, |_| true)
}

fn answer(status: u32, headers: &[(&[u8], &[u8])], body: &[u8]) -> Answer {
    Answer::new(status, 200..=599, headers, body).unwrap()
}

#[test]
fn an_accepted_handshake_is_handed_over_under_its_id() {
    let (front, events) = start(&config(10_000));
    let mut peer = front.connect();
    let offer = HANDSHAKE.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: v2, v1\r\n\r\n");
    peer.send(&[offer.as_bytes(), b"\x81\x80abcd"].concat());
    let asked = next(&events, Kind::Handshake);
    let request = Parsed::parse(&asked.data).unwrap();
    assert_eq!((request.path(), request.subprotocol()), ("/chat", "v2, v1"));
    assert_eq!(front.pending.header(asked.id, "ORIGIN").unwrap(), Some(b"http://example.org".to_vec()));
    assert_eq!(front.pending.header(asked.id, "cookie").unwrap(), None);

    let told = accept(&front, asked.id, Some("v3")).unwrap_err();
    assert!(told.to_string().contains("v3"), "{told}: and it still waits");
    let headers = handshake_fields(&[(b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2")]).unwrap();
    let mut expected = Vec::new();
    front
        .pending
        .accept(asked.id, Some("v2"), headers, 7, |accepting| {
            assert_eq!((accepting.id, accepting.user_data), (asked.id, 7));
            expected = accepting.request.to_vec();
            true
        })
        .unwrap();
    assert_eq!(Parsed::parse(&expected).unwrap().subprotocol(), "v2", "ACCEPT tells what was chosen");
    let response = peer.answer(false);
    assert_eq!((response.status(), response.header("sec-websocket-protocol")), (101, Some("v2")));
    assert_eq!(response.head.matches("set-cookie: ").count(), 2, "{}", response.head);

    let upgraded = front.adopted();
    assert!(matches!(upgraded.client, Newcomer::Expected(id) if id == asked.id));
    assert_eq!(&upgraded.early[..], b"\x81\x80abcd");
    let late = accept(&front, asked.id, None).unwrap_err();
    assert_eq!(late.kind(), crate::ErrorKind::Closed);
    assert_eq!(front.pending.count(), 0);
}

#[test]
fn without_a_choice_the_endpoints_list_chooses_and_an_empty_choice_is_none() {
    let (front, events) = start(&config(10_000));
    for (choice, told) in [(None, Some("v1")), (Some(""), None), (Some("v2"), Some("v2"))] {
        let mut peer = front.connect();
        peer.send(HANDSHAKE.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: v2, v1\r\n\r\n").as_bytes());
        accept(&front, next(&events, Kind::Handshake).id, choice).unwrap();
        assert_eq!(peer.answer(false).header("sec-websocket-protocol"), told, "{choice:?}");
    }
}

#[test]
fn a_rejected_handshake_gets_the_applications_response_and_may_ask_again() {
    let (front, events) = start(&config(10_000));
    let mut peer = front.connect();
    for status in [401, 302, 599] {
        peer.send(HANDSHAKE.as_bytes());
        let asked = next(&events, Kind::Handshake);
        let json = answer(status, &[(b"Content-Type", b"application/json")], b"{\"error\":1}");
        front.pending.reject(asked.id, json).unwrap();
        let response = peer.answer(true);
        assert_eq!(
            (response.status(), response.header("content-type")),
            (status as u16, Some("application/json"))
        );
        assert_eq!(response.body, b"{\"error\":1}");
        assert!(front.pending.reject(asked.id, answer(401, &[], b"")).is_err(), "decided once");
    }
    assert_eq!(front.reserved.load(Ordering::SeqCst), 0);
}

#[test]
fn a_handshake_whose_peer_leaves_is_gone() {
    let (front, events) = start(&config(60_000));
    let mut peer = front.connect();
    peer.send(HANDSHAKE.as_bytes());
    let asked = next(&events, Kind::Handshake);
    drop(peer);
    let gone = next(&events, Kind::HandshakeGone);
    assert_eq!((gone.id, gone.code), (asked.id, 0));
    assert_eq!(accept(&front, asked.id, None).unwrap_err().kind(), crate::ErrorKind::Closed);
    assert_eq!(front.reserved.load(Ordering::SeqCst), 0);
}

#[test]
fn a_handshake_that_nobody_decides_times_out_and_its_connection_goes_on() {
    let (front, events) = start(&config(20));
    let mut peer = front.connect();
    peer.send(HANDSHAKE.as_bytes());
    assert_eq!(peer.answer(true).status(), 503);
    let asked = next(&events, Kind::Handshake);
    let gone = next(&events, Kind::HandshakeGone);
    assert_eq!((gone.id, gone.code), (asked.id, 503));
    assert_eq!(peer.ask("GET /x HTTP/1.1\r\nHost: x\r\n\r\n").status(), 404);
}

#[test]
fn a_stop_ends_what_waits() {
    let mut config = config(60_000);
    config.set_requests(true);
    let (mut front, events) = start(&config);
    let (mut peer, mut other) = (front.connect(), front.connect());
    peer.send(HANDSHAKE.as_bytes());
    let asked = next(&events, Kind::Handshake);
    other.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    next(&events, Kind::Request);
    front.stop();
    assert_eq!((peer.answer(true).status(), other.answer(true).status()), (503, 503));
    let gone = next(&events, Kind::HandshakeGone);
    assert_eq!((gone.id, gone.code), (asked.id, 503));
    assert_eq!(front.pending.count(), 0);
}

#[test]
fn a_callback_that_panics_costs_that_handshake_alone() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kinds = Arc::clone(&seen);
    let on_event = move |event: &Event<'_>| {
        kinds.lock().push((event.kind, event.code));
        event.kind != Kind::Handshake
    };
    let front = Running::serving(&config(60_000), Arc::default(), Box::new(on_event));
    let mut peer = front.connect();
    assert_eq!(peer.ask(HANDSHAKE).status(), 500);
    assert_eq!(*seen.lock(), [(Kind::Handshake, 0), (Kind::HandshakeGone, 500)]);
    assert_eq!(peer.ask("GET /x HTTP/1.1\r\nHost: x\r\n\r\n").status(), 404);
}

#[test]
fn a_decision_inside_the_callback_is_taken() {
    let pending: Arc<Pending> = Arc::default();
    let inside: Weak<Pending> = Arc::downgrade(&pending);
    let on_event = move |event: &Event<'_>| {
        let pending = inside.upgrade().unwrap();
        match event.kind {
            Kind::Handshake => pending.accept(event.client, None, HeaderMap::new(), 0, |_| true).unwrap(),
            _ => pending.respond(event.client, answer(200, &[], b"inside")).unwrap(),
        }
        true
    };
    let mut config = config(60_000);
    config.set_requests(true);
    let front = Running::serving(&config, pending, Box::new(on_event));
    assert_eq!(front.get("/x").body, b"inside");
    assert_eq!(front.ask(HANDSHAKE).status(), 101);
    front.adopted();
}

#[test]
fn requests_on_one_connection_are_answered_in_order() {
    let mut config = config(60_000);
    config.set_requests(true);
    let (front, events) = start(&config);
    let mut peer = front.connect();
    peer.send(
        b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b?q HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbodyHEAD /c \
          HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    for (method, target, body) in [("GET", "/a", ""), ("POST", "/b?q", "body"), ("HEAD", "/c", "")] {
        let asked = next(&events, Kind::Request);
        assert_eq!((asked.flags, asked.code), (0, 0));
        let request = Parsed::parse(&asked.data).unwrap();
        assert_eq!((request.method(), request.target()), (method, target));
        assert_eq!(request.body(), body.as_bytes());
        let text = format!("for {target}");
        front.pending.respond(asked.id, answer(200, &[(b"X", b"y")], text.as_bytes())).unwrap();
        let response = peer.answer(method != "HEAD");
        assert_eq!((response.status(), response.header("x")), (200, Some("y")));
        assert_eq!(response.header("content-length"), Some(text.len().to_string().as_str()));
        assert_eq!(response.body, if method == "HEAD" { b"" } else { text.as_bytes() });
        assert!(front.pending.respond(asked.id, answer(200, &[], b"")).is_err(), "answered once");
    }
}

#[test]
fn a_body_over_the_limit_is_refused_and_the_application_not_asked() {
    let mut config = config(60_000);
    config.set_requests(true);
    config.set_max_body_size(10).unwrap();
    let (front, events) = start(&config);
    for (framing, sent) in [
        ("Content-Length: 11", ""),
        ("Content-Length: 11", "12345678901"),
        ("Transfer-Encoding: chunked", "b\r\n12345678901\r\n0\r\n\r\n"),
    ] {
        let mut peer = front.connect();
        let response = peer.ask(&format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n{sent}"));
        assert_eq!((response.status(), response.header("connection")), (413, Some("close")), "{framing}");
    }
    assert!(events.try_recv().is_err());
    let mut peer = front.connect();
    peer.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n5\r\n67890\r\n0\r\n\r\n");
    let asked = next(&events, Kind::Request);
    assert_eq!(Parsed::parse(&asked.data).unwrap().body(), b"1234567890");
}

#[test]
fn a_request_whose_peer_leaves_or_whose_time_is_over_takes_no_answer() {
    let mut config = config(60_000);
    config.set_requests(true);
    config.set_request_timeout(50).unwrap();
    let (front, events) = start(&config);
    let mut peer = front.connect();
    assert_eq!(peer.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status(), 503);
    let asked = next(&events, Kind::Request);
    assert!(front.pending.respond(asked.id, answer(200, &[], b"")).is_err());
    peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let asked = next(&events, Kind::Request);
    drop(peer);
    let until = std::time::Instant::now() + PATIENCE;
    while front.pending.count() > 0 {
        assert!(std::time::Instant::now() < until);
        std::thread::yield_now();
    }
    let told = front.pending.respond(asked.id, answer(200, &[], b"")).unwrap_err();
    assert_eq!(told.kind(), crate::ErrorKind::Closed);
    assert!(events.try_recv().is_err(), "no event tells of a request that it is gone");
}

#[test]
fn head_is_told_what_get_would_be() {
    let mut config = config(60_000);
    config.set_requests(true);
    let (front, events) = start(&config);
    let mut peer = front.connect();
    for accepts in ["gzip", "identity"] {
        let mut heads = ["GET", "HEAD"].map(|method| {
            peer.send(
                format!("{method} / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {accepts}\r\n\r\n").as_bytes(),
            );
            let long = answer(200, &[(b"Content-Type", b"text/plain"), (b"ETag", b"\"1\"")], &[b'x'; 5_000]);
            front.pending.respond(next(&events, Kind::Request).id, long).unwrap();
            peer.answer(method == "GET").head
        });
        for head in &mut heads {
            assert_eq!(head.contains("content-encoding: gzip"), accepts == "gzip", "{head}");
            // The one header that may differ.
            *head = head.lines().filter(|line| !line.starts_with("date: ")).collect();
        }
        assert_eq!(heads[0], heads[1]);
    }
}

#[test]
fn an_answer_that_upgrade_is_required_names_the_protocol() {
    let mut config = config(60_000);
    config.set_requests(true);
    let (front, events) = start(&config);
    let mut peer = front.connect();
    for (headers, upgrade) in [(&[][..], "websocket"), (&[(&b"Upgrade"[..], &b"foo/2"[..])], "foo/2")] {
        for request in ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", HANDSHAKE] {
            peer.send(request.as_bytes());
            let asked = events.recv_timeout(PATIENCE).unwrap();
            let required = answer(426, headers, b"upgrade");
            match asked.kind {
                Kind::Handshake => front.pending.reject(asked.id, required).unwrap(),
                _ => front.pending.respond(asked.id, required).unwrap(),
            }
            let response = peer.answer(true);
            assert_eq!((response.status(), &response.body[..]), (426, &b"upgrade"[..]));
            assert_eq!(response.header("upgrade"), Some(upgrade));
            assert_eq!(response.header("connection"), Some("Upgrade"));
        }
    }
}

#[test]
fn the_application_may_shape_refusals_and_what_they_demand_stands() {
    let mut config = config(60_000);
    config.set_error_pages(5_000).unwrap();
    let (front, events) = start(&config);
    for (request, status, demanded) in [
        ("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 404, None),
        ("GET /../x HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 400, None),
        (HANDSHAKE.replace("GET", "PUT"), 405, Some(("allow", "GET"))),
        (HANDSHAKE.replace(": 13", ": 12"), 426, Some(("sec-websocket-version", "13"))),
    ] {
        let mut peer = front.connect();
        peer.send(request.as_bytes());
        let asked = next(&events, Kind::Request);
        assert_eq!((asked.flags, asked.code), (event::FLAG_REFUSED, status));
        front.pending.respond(asked.id, answer(status, &[(b"Allow", b"X")], b"<h1>no")).unwrap();
        let response = peer.answer(true);
        assert_eq!((u32::from(response.status()), &response.body[..]), (status, &b"<h1>no"[..]));
        if let Some((name, value)) = demanded {
            assert_eq!(response.header(name), Some(value));
        }
    }
}

#[test]
fn a_refusal_is_told_in_our_words_when_the_application_finds_none() {
    let mut config = config(60_000);
    config.set_error_pages(20).unwrap();
    let (front, events) = start(&config);
    let response = front.get("/nothing");
    assert_eq!((response.status(), &response.body[..]), (404, &b"Not found"[..]));
    next(&events, Kind::Request);
}

#[test]
fn only_so_many_refusals_wait_for_the_application() {
    let mut config = config(60_000);
    config.set_error_pages(60_000).unwrap();
    let (front, events) = start(&config);
    let mut waiting = Vec::new();
    for _ in 0..64 {
        let mut peer = front.connect();
        peer.send(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
        next(&events, Kind::Request);
        waiting.push(peer);
    }
    assert_eq!(front.get("/nothing").status(), 404);
    assert!(events.recv_timeout(Duration::ZERO).is_err(), "it was not asked about");
    drop(waiting);
}
