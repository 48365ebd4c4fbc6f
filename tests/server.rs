//! The Rust API as an application uses it, with tokio-tungstenite as the client.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail so

#[path = "server/compressed_parts.rs"]
mod compressed_parts;

use std::io::Read;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use wsgate::{
    Cause, ClientId, Config, Delivery, ErrorKind, Event, Handle, Info, Kind, Queue, Request, Server, Taken,
    event,
};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(20);

fn config() -> Config {
    let mut config = Config::new();
    config.listen("127.0.0.1:0").unwrap();
    config.set_workers(2).unwrap();
    config
}

async fn connect(server: &Server, path: &str) -> Client {
    let address = format!("ws://127.0.0.1:{}{path}", server.port(0).unwrap());
    connect_async(address).await.unwrap().0
}

async fn receive(client: &mut Client) -> Message {
    tokio::time::timeout(PATIENCE, client.next()).await.unwrap().unwrap().unwrap()
}

/// An event that outlives its callback.
#[derive(Debug)]
struct Seen {
    kind: Kind,
    client: ClientId,
    code: u32,
    value: u64,
    flags: u32,
    data: Vec<u8>,
}

/// A push server that reports its events, apart from what `act` does with them.
fn watched(
    config: Config,
    act: impl Fn(&Handle, &Event<'_>) + Send + Sync + 'static,
) -> (Server, Receiver<Seen>) {
    let (report, seen) = channel();
    let delivery = Delivery::push(move |server: &Handle, event: &Event<'_>| {
        let _ = report.send(Seen {
            kind: event.kind,
            client: ClientId(event.client),
            code: event.code,
            value: event.value,
            flags: event.flags,
            data: event.data.to_vec(),
        });
        act(server, event);
    });
    (Server::start(config, delivery).unwrap(), seen)
}

fn next(seen: &Receiver<Seen>, kind: Kind) -> Seen {
    loop {
        let event = seen.recv_timeout(PATIENCE).unwrap();
        if event.kind == kind {
            return event;
        }
    }
}

fn echo(server: &Handle, event: &Event<'_>) {
    if event.kind == Kind::Message {
        let client = ClientId(event.client);
        let _ = match event.flags & event::FLAG_BINARY {
            0 => server.send_text(client, event.data),
            _ => server.send_binary(client, event.data),
        };
    }
}

#[tokio::test]
async fn messages_of_every_size_come_back_as_they_went() {
    let mut config = config();
    config.add_endpoint("/").unwrap();
    let (server, _seen) = watched(config, echo);
    let mut client = connect(&server, "/").await;
    for size in [0, 1, 125, 126, 65_535, 65_536, 300_000, 1_000_000] {
        let text = "x".repeat(size);
        client.send(Message::text(text.clone())).await.unwrap();
        assert_eq!(receive(&mut client).await, Message::text(text));
        let binary: Bytes = (0..size).map(|i| i as u8).collect::<Vec<_>>().into();
        client.send(Message::Binary(binary.clone())).await.unwrap();
        assert_eq!(receive(&mut client).await, Message::Binary(binary));
    }
}

#[tokio::test]
async fn each_client_is_accepted_once_and_closed_once_with_its_figures() {
    let mut config = config();
    config.add_endpoint("/room").unwrap();
    let (server, seen) = watched(config, echo);
    let mut client = connect(&server, "/room?name=ada").await;
    let accept = next(&seen, Kind::Accept);
    let request = Request::parse(&accept.data).unwrap();
    assert_eq!((request.path(), request.query(), request.method()), ("/room", Some("name=ada"), "GET"));
    client.send(Message::text("hello")).await.unwrap();
    receive(&mut client).await;
    client.close(None).await.unwrap();
    let close = next(&seen, Kind::Close);
    assert_eq!((close.client, close.code, close.value), (accept.client, 1005, Cause::Peer as u64));
    assert_ne!(close.flags & event::FLAG_CLEAN, 0);
    let (info, reason) = Info::split(&close.data).unwrap();
    assert_eq!((info.messages_in, info.messages_out, info.frames_in, reason), (1, 1, 2, &b""[..]));
    assert_eq!((info.bytes_in, info.bytes_out), (5 + 6 + 6, 5 + 2));
    assert!(info.connected_ns > 0 && info.closed_ns >= info.connected_ns);
    assert_eq!(server.send_text(close.client, b"late").unwrap_err().kind(), ErrorKind::Closed);
    server.stop(PATIENCE).unwrap();
    server.join().unwrap();
    let rest: Vec<Seen> = seen.try_iter().collect();
    assert!(matches!(rest[..], [Seen { kind: Kind::Stopped, .. }]), "{rest:?}");
}

#[tokio::test]
async fn broadcasts_and_direct_sends_keep_one_order_on_every_worker() {
    let mut config = config();
    let endpoint = config.add_endpoint("/").unwrap();
    let everybody = config.new_gateway().unwrap();
    config.set_gateway(endpoint, everybody).unwrap();
    let (server, seen) = watched(config, |_, _| ());
    let mut clients = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..4 {
        clients.push(connect(&server, "/").await);
        ids.push(next(&seen, Kind::Accept).client);
    }
    let large = "x".repeat(100_000);
    for n in 0..200 {
        server.send_text(ids[n % 4], format!("d{n}").as_bytes()).unwrap();
        server.broadcast_text(everybody, format!("b{n}").as_bytes(), &[ids[(n + 1) % 4]]).unwrap();
        if n % 50 == 0 {
            server.broadcast_text(everybody, large.as_bytes(), &[]).unwrap();
        }
    }
    for (which, client) in clients.iter_mut().enumerate() {
        for n in 0..200 {
            let mut expected = Vec::new();
            if n % 4 == which {
                expected.push(format!("d{n}"));
            }
            if (n + 1) % 4 != which {
                expected.push(format!("b{n}"));
            }
            if n % 50 == 0 {
                expected.push(large.clone());
            }
            for text in expected {
                assert!(receive(client).await == Message::text(text), "client {which}, {n}");
            }
        }
    }
}

#[tokio::test]
async fn a_gateway_can_live_for_one_broadcast() {
    let mut config = config();
    config.add_endpoint("/").unwrap();
    let (server, seen) = watched(config, |_, _| ());
    let mut client = connect(&server, "/").await;
    let id = next(&seen, Kind::Accept).client;
    for n in 0..100 {
        let gateway = server.new_gateway().unwrap();
        server.join_gateway(gateway, id).unwrap();
        server.broadcast_text(gateway, format!("{n}").as_bytes(), &[]).unwrap();
        server.free_gateway(gateway).unwrap();
        assert_eq!(server.broadcast_text(gateway, b"late", &[]).unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(receive(&mut client).await, Message::text(format!("{n}")));
    }
}

#[tokio::test]
async fn a_panic_in_a_callback_costs_its_client_alone() {
    let mut config = config();
    config.add_endpoint("/").unwrap();
    let (server, seen) = watched(config, |server, event| {
        assert!(event.data != b"panic", "as asked");
        echo(server, event);
    });
    let mut unlucky = connect(&server, "/").await;
    let mut other = connect(&server, "/").await;
    unlucky.send(Message::text("panic")).await.unwrap();
    let Message::Close(Some(frame)) = receive(&mut unlucky).await else { panic!("no Close frame") };
    assert_eq!(u16::from(frame.code), 1011);
    assert_eq!(next(&seen, Kind::Close).code, 1011);
    other.send(Message::text("still here")).await.unwrap();
    assert_eq!(receive(&mut other).await, Message::text("still here"));
}

#[tokio::test]
async fn stopping_closes_everybody_with_1001_before_stopped() {
    let mut config = config();
    config.add_endpoint("/").unwrap();
    let (server, seen) = watched(config, |_, _| ());
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(connect(&server, "/").await);
        next(&seen, Kind::Accept);
    }
    server.stop(PATIENCE).unwrap();
    for client in &mut clients {
        let Message::Close(Some(frame)) = receive(client).await else { panic!("no Close frame") };
        assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1001, "Server shutting down"));
        while tokio::time::timeout(PATIENCE, client.next()).await.unwrap().is_some() {}
    }
    server.join().unwrap();
    let kinds: Vec<Kind> = seen.try_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::Close, Kind::Close, Kind::Close, Kind::Stopped]);
    let port = server.port(0).unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_peers_that_answer_and_do_not_hang_up() {
    let mut config = config();
    let endpoint = config.add_endpoint("/").unwrap();
    config.set_close_period(endpoint, 3_600_000).unwrap();
    let (server, seen) = watched(config, |_, _| ());
    let mut client = connect(&server, "/").await;
    next(&seen, Kind::Accept);
    server.stop(PATIENCE * 10).unwrap();
    let Message::Close(Some(_)) = receive(&mut client).await else { panic!("no Close frame") };
    client.flush().await.unwrap();
    let join = tokio::task::spawn_blocking(move || server.join());
    tokio::time::timeout(PATIENCE, join).await.unwrap().unwrap().unwrap();
    drop(client);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_bounded_and_told_when_there_is_room() {
    let mut config = config();
    let endpoint = config.add_endpoint("/").unwrap();
    config.set_outbox_limit(endpoint, 200_000, 10).unwrap();
    let (server, seen) = watched(config, |_, _| ());
    let mut client = connect(&server, "/").await;
    let id = next(&seen, Kind::Accept).client;
    let message = vec![b'x'; 50_000];
    let mut sent = 0;
    let full = loop {
        match server.send_binary(id, &message) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 10_000, "never full");
    };
    assert_eq!(full.kind(), ErrorKind::Full);
    for _ in 0..sent {
        assert_eq!(receive(&mut client).await.into_data().len(), message.len());
    }
    assert_eq!(next(&seen, Kind::Drain).client, id);
    server.send_binary(id, &message).unwrap();
    assert_eq!(receive(&mut client).await.into_data().len(), message.len());
}

#[tokio::test]
async fn a_member_that_does_not_read_is_closed_and_the_others_go_on() {
    let mut config = config();
    let endpoint = config.add_endpoint("/").unwrap();
    config.set_outbox_limit(endpoint, 200_000, 1_000).unwrap();
    config.set_close_period(endpoint, 200).unwrap();
    let everybody = config.new_gateway().unwrap();
    config.set_gateway(endpoint, everybody).unwrap();
    let (server, seen) = watched(config, |_, _| ());
    let _stuck = connect(&server, "/").await;
    let stuck = next(&seen, Kind::Accept).client;
    let mut reader = connect(&server, "/").await;
    next(&seen, Kind::Accept);
    let message = vec![b'x'; 50_000];
    let mut rounds = 0;
    let close = loop {
        server.broadcast_binary(everybody, &message, &[]).unwrap();
        assert_eq!(receive(&mut reader).await.into_data().len(), message.len());
        if let Ok(event) = seen.try_recv() {
            break event;
        }
        rounds += 1;
        assert!(rounds < 50_000, "never closed");
    };
    assert_eq!((close.client, close.code, close.value), (stuck, 1013, Cause::Slow as u64));
}

#[tokio::test]
async fn log_lines_up_to_the_level_come_as_events() {
    let mut config = config();
    config.set_log_level(4).unwrap();
    config.add_endpoint("/").unwrap();
    let (server, seen) = watched(config, |_, _| ());
    let mut peer = TcpStream::connect(("127.0.0.1", server.port(0).unwrap())).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut peer, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let log = next(&seen, Kind::Log);
    let text = String::from_utf8(log.data).unwrap();
    assert!(text.starts_with("wsgate::front") && log.code == 4, "{} {text}", log.code);
}

#[test]
fn a_bad_start_is_told_and_leaves_nothing_behind() {
    assert_eq!(Server::start(Config::new(), Delivery::push(echo)).unwrap_err().kind(), ErrorKind::Invalid);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = Config::new();
    config.listen(&taken.local_addr().unwrap().to_string()).unwrap();
    let error = Server::start(config, Delivery::push(echo)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains(&taken.local_addr().unwrap().to_string()), "{error}");
}

#[tokio::test]
async fn a_pull_server_that_is_never_taken_from_stops_reading_and_loses_nothing() {
    const MESSAGES: usize = 100;
    let mut config = config();
    config.set_queue_limit(100_000).unwrap();
    let endpoint = config.add_endpoint("/").unwrap();
    config.set_rate_limit(endpoint, 0, 0).unwrap();
    let queue = Queue::new(100_000).unwrap();
    let server = Server::start(config, Delivery::Pull(queue.clone())).unwrap();
    let client = connect(&server, "/").await;
    // More than the queue and the sockets hold: the sender waits until somebody takes.
    let (mut sink, _stream) = client.split();
    let sender = tokio::spawn(async move {
        for n in 0..MESSAGES {
            let message = vec![n as u8; 200_000];
            sink.send(Message::Binary(message.into())).await.unwrap();
        }
    });
    let received = tokio::task::spawn_blocking(move || {
        let (mut taken, mut next) = (Taken::new(), 0);
        while next < MESSAGES {
            assert!(queue.take(&mut taken, 0, Some(PATIENCE)).unwrap() > 0, "nothing came");
            for record in taken.records().iter().filter(|record| record.kind == Kind::Message as u32) {
                assert!(taken.data(record).iter().all(|byte| *byte == next as u8));
                next += 1;
            }
        }
        next
    });
    sender.await.unwrap();
    assert_eq!(received.await.unwrap(), MESSAGES);
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_refills_at_each_drain_starves_nobody() {
    let mut config = config();
    config.set_workers(1).unwrap();
    let endpoint = config.add_endpoint("/").unwrap();
    config.set_outbox_limit(endpoint, 250, 10).unwrap();
    config.set_rate_limit(endpoint, 0, 0).unwrap();
    let (server, seen) = watched(config, |server, event| {
        let client = ClientId(event.client);
        match event.kind {
            Kind::Drain => while server.send_binary(client, &[b'x'; 100]).is_ok() {},
            _ => echo(server, event),
        }
    });
    let reader = connect(&server, "/").await;
    let streamed = next(&seen, Kind::Accept).client;
    let MaybeTlsStream::Plain(reader) = reader.into_inner() else { panic!("TLS") };
    let mut reader = reader.into_std().unwrap();
    reader.set_nonblocking(false).unwrap();
    let reading =
        std::thread::spawn(move || while reader.read(&mut vec![0; 1 << 20]).is_ok_and(|n| n > 0) {});
    let mut other = connect(&server, "/").await;
    // Sent from here, it is in the worker's own round of commands that room comes and is filled again.
    while server.send_binary(streamed, &[b'x'; 100]).is_ok() {}
    for n in 0..100 {
        let _ = server.send_binary(streamed, b"more");
        other.send(Message::text("still here")).await.unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(2), other.next()).await;
        assert!(answer.is_ok(), "the {n}th echo did not come within 2 s");
    }
    drop(server);
    reading.join().unwrap();
}
