//! The control plane as its peers and the data plane see it, over real sockets.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use super::STOP_BOUND;
use super::harness::{HANDSHAKE, PATIENCE, Running, stream_of};
use super::request::Request;
use super::{Newcomer, Upgraded};

fn request_of(upgraded: &Upgraded) -> Vec<u8> {
    match &upgraded.client {
        Newcomer::Unnamed(request, _) => request.clone(),
        Newcomer::Expected(id) => panic!("{id} was accepted by the application"),
    }
}

#[test]
fn frames_glued_to_the_request_reach_the_data_plane() {
    let front = Running::start(None);
    let mut peer = front.connect();
    peer.send(&[HANDSHAKE.as_bytes(), b"\x81\x85abcdhello"].concat());
    let answer = peer.answer(false);
    assert_eq!(answer.status(), 101, "{}", answer.head);
    assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));

    let upgraded = front.adopted();
    assert_eq!(&upgraded.early[..], b"\x81\x85abcdhello");
    assert_eq!(upgraded.endpoint, 1);
    let request = request_of(&upgraded);
    let request = Request::parse(&request).unwrap();
    assert_eq!((request.method(), request.target()), ("GET", "/chat?room=1"));
    assert_eq!(request.peer(), peer.0.local_addr().unwrap().to_string());
    assert_eq!(request.local(), front.address.to_string());
    assert_eq!(request.header("Origin"), Some(&b"http://example.org"[..]));

    let mut stream = stream_of(upgraded);
    assert!(stream.nodelay().unwrap());
    let nothing = stream.read(&mut [0]).unwrap_err();
    assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock, "nonblocking, and nothing was read twice");
    stream.write_all(b"down").unwrap();
    let mut down = [0; 4];
    peer.0.read_exact(&mut down).unwrap();
    assert_eq!(&down, b"down");
}

#[test]
fn who_says_all_at_once_and_hangs_up_is_heard() {
    let front = Running::start(None);
    for _ in 0..50 {
        let mut peer = front.connect();
        peer.send(&[HANDSHAKE.as_bytes(), b"\x81\x85abcdhello"].concat());
        peer.0.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(peer.answer(false).status(), 101);
        assert_eq!(&front.adopted().early[..], b"\x81\x85abcdhello");
    }
}

#[test]
fn frames_larger_than_a_head_may_be_are_not_lost() {
    let front = Running::start(None);
    let mut peer = front.connect();
    let frames: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
    let mut sender = peer.0.try_clone().unwrap();
    let all = [HANDSHAKE.as_bytes(), &frames].concat();
    let sending = std::thread::spawn(move || sender.write_all(&all).unwrap());
    assert_eq!(peer.answer(false).status(), 101);
    let upgraded = front.adopted();
    let early = upgraded.early.clone();
    let mut stream = stream_of(upgraded);
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut rest = vec![0; frames.len() - early.len()];
    stream.read_exact(&mut rest).unwrap();
    assert!([&early[..], &rest].concat() == frames);
    sending.join().unwrap();
}

#[test]
fn a_request_in_pieces_is_upgraded() {
    let front = Running::start(None);
    let mut peer = front.connect();
    peer.0.set_nodelay(true).unwrap();
    for piece in HANDSHAKE.as_bytes().chunks(7) {
        peer.send(piece);
    }
    assert_eq!(peer.answer(false).status(), 101);
    assert!(front.adopted().early.is_empty());
}

#[test]
fn an_absolute_target_is_routed_by_its_path() {
    let front = Running::start(None);
    let answer = front.ask(&HANDSHAKE.replace("GET /chat", "GET http://example.org/chat"));
    assert_eq!(answer.status(), 101);
    assert_eq!(Request::parse(&request_of(&front.adopted())).unwrap().path(), "/chat");
}

#[test]
fn a_refusal_names_its_reason_and_leaves_the_connection_open() {
    let front = Running::start(None);
    let mut peer = front.connect();
    for (from, to, status, reason) in [
        (
            "Upgrade: websocket\r\n",
            "",
            426,
            "This is a WebSocket endpoint: \"Upgrade: websocket\" is missing",
        ),
        ("Version: 13", "Version: 8", 426, "Sec-WebSocket-Version 13 is required"),
        ("ZQ==", "ZQ", 400, "Sec-WebSocket-Key is not 16 bytes in base64"),
        ("Origin: http://", "Origin: https://", 403, "Origin forbidden"),
        ("GET", "DELETE", 405, "A WebSocket handshake is a GET request"),
    ] {
        let answer = peer.ask(&HANDSHAKE.replace(from, to));
        assert_eq!(answer.status(), status, "{to}");
        assert_eq!(String::from_utf8_lossy(&answer.body), reason);
    }
    assert_eq!(peer.ask(HANDSHAKE).status(), 101);
    front.adopted();
    assert!(front.adopted.try_recv().is_err(), "only what was accepted is handed over");
}

#[test]
fn http_1_0_is_told_the_version_that_it_takes() {
    let front = Running::start(None);
    let answer = front.ask(&HANDSHAKE.replace("HTTP/1.1", "HTTP/1.0"));
    assert_eq!((answer.status(), answer.header("upgrade")), (505, Some("websocket")));
}

#[test]
fn a_handshake_with_a_body_is_refused_and_its_body_is_no_frame() {
    let front = Running::start(None);
    for header in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
        let request = HANDSHAKE.replace("\r\n\r\n", &format!("\r\n{header}\r\n\r\nhello"));
        assert_eq!(front.ask(&request).status(), 400, "{header}");
    }
    assert!(front.adopted.try_recv().is_err());
}

#[test]
fn without_a_directory_everything_else_is_a_404() {
    let front = Running::start(None);
    for path in ["/", "/chat/", "/%63hat", "/index.html"] {
        let answer = front.get(path);
        assert_eq!((answer.status(), &answer.body[..]), (404, &b"Not found"[..]), "{path}");
    }
    assert_eq!(front.ask("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").status(), 404);
    assert_eq!(front.ask("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n").status(), 405);
}

#[test]
fn garbage_ends_its_own_connection_only() {
    let front = Running::start(None);
    let mut bystander = front.connect();
    assert_eq!(bystander.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status(), 404);
    for garbage in
        ["\x16\x03\x01\x02\x00\x01\x00\x01\x7f\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n"]
    {
        let mut peer = front.connect();
        assert_eq!(peer.ask(garbage).status(), 400, "{garbage:?}");
        assert!(peer.is_closed());
    }
    assert_eq!(bystander.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status(), 404);
}

#[test]
fn a_head_over_the_limit_is_refused() {
    let front = Running::start(None);
    let fits = HANDSHAKE.replace("\r\n\r\n", &format!("\r\nX: {}\r\n\r\n", "x".repeat(30_000)));
    assert_eq!(front.ask(&fits).status(), 101);
    let mut peer = front.connect();
    let too_large = HANDSHAKE.replace("\r\n\r\n", &format!("\r\nX: {}\r\n\r\n", "x".repeat(33_000)));
    assert_eq!(peer.ask(&too_large).status(), 431);
    assert!(peer.is_closed());
}

#[test]
fn all_listeners_are_served() {
    let listeners: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
    let mut running = Running::listening(listeners, None);
    for address in addresses {
        running.address = address;
        assert_eq!(running.get("/").status(), 404);
    }
}

#[test]
fn stop_ends_idle_connections_at_once() {
    let mut front = Running::start(None);
    let mut silent = front.connect();
    let mut idle = front.connect();
    assert_eq!(idle.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status(), 404);
    let took = front.stop();
    assert!(took < STOP_BOUND, "{took:?}");
    assert!(idle.is_closed());
    assert!(silent.is_closed());
    assert!(TcpStream::connect(front.address).is_err(), "nobody listens any more");
}

#[test]
fn stop_cuts_an_unfinished_request_in_bounded_time() {
    let mut front = Running::start(None);
    let mut unfinished = front.connect();
    unfinished.send(b"GET / HTTP/1.1\r\nHost:");
    // Once the next connection was answered, the front has seen that one.
    assert_eq!(front.get("/").status(), 404);
    let took = front.stop();
    assert!(took < STOP_BOUND * 4, "{took:?}");
    assert!(unfinished.is_closed());
}

#[test]
fn an_upgraded_connection_outlives_the_front() {
    let mut front = Running::start(None);
    let mut peer = front.connect();
    assert_eq!(peer.ask(HANDSHAKE).status(), 101);
    let mut upgraded = stream_of(front.adopted());
    front.stop();
    upgraded.write_all(b"still here").unwrap();
    let mut read = [0; 10];
    peer.0.read_exact(&mut read).unwrap();
    assert_eq!(&read, b"still here");
}
