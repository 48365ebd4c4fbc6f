//! The HTTP front: whatever a peer sends before it is a client, it gets a well-formed answer or none, soon, and
//! the server goes on. Over a socket, so that hyper, the acceptor, the upgrade and the worker are all there.
//!
//! Input: what the peer sends. Once it has upgraded, that is frames.
#![no_main]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wsgate::{ClientId, Config, Delivery, Event, Handle, Kind, Server};

/// No answer takes so long.
const PATIENCE: Duration = Duration::from_secs(10);

fn port() -> u16 {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let mut config = Config::new();
        config.listen("127.0.0.1:0").unwrap();
        config.set_workers(1).unwrap();
        config.add_endpoint("/").unwrap();
        let guarded = config.add_endpoint("/guarded").unwrap();
        config.add_origin(guarded, "https://example.org").unwrap();
        config.set_directory(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/request")).unwrap();
        Server::start(
            config,
            Delivery::push(|server: &Handle, event: &Event<'_>| {
                if event.kind == Kind::Message {
                    let _ = server.send_binary(ClientId(event.client), event.data);
                }
            }),
        )
        .unwrap()
    });
    server.port(0).unwrap()
}

fuzz_target!(|input: &[u8]| {
    let mut peer = TcpStream::connect(("127.0.0.1", port())).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may have hung up in the middle: it has judged enough.
    let _ = peer.write_all(input);
    let _ = peer.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = peer.read_to_end(&mut answer) {
        assert!(error.kind() == ErrorKind::ConnectionReset, "no end came: {error}");
    }
    if !answer.is_empty() {
        let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default().escape_ascii().to_string();
        let status =
            line.strip_prefix("HTTP/1.1 ").or(line.strip_prefix("HTTP/1.0 ")).and_then(|rest| rest.get(..3));
        assert!(
            status.is_some_and(|status| status.parse().is_ok_and(|code: u16| (100..=599).contains(&code))),
            "{line}"
        );
        assert_ne!(status, Some("500"), "{line}");
    }
});
