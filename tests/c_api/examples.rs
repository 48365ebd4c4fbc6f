//! The C examples do what the other languages' examples do: compiled as a reader would compile them, with
//! the sanitizers on, and talked to.

use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, HandshakeError, Message, WebSocket, client};

use crate::toolchain::{Running, WARNINGS, compile, compile_with, cxx, root, sanitizers};

const PATIENCE: Duration = Duration::from_secs(20);

type Client = WebSocket<TcpStream>;

fn build(name: &str, program: &str) -> Command {
    let program = format!("example-{program}");
    Command::new(match name.strip_prefix("c++ ") {
        Some(name) => {
            let flags: [&[&str]; 3] = [&["-std=c++17"], WARNINGS, sanitizers()];
            compile_with(&cxx(), &format!("examples/cpp/{name}.cpp"), &program, &flags)
        }
        None => compile(&format!("examples/c/{name}.c"), &program, &[&["-std=c99"], WARNINGS, sanitizers()]),
    })
}

/// A running example, and the port that it printed. `test` makes the program this test's own.
fn start(name: &str, test: &str, scheme: &str) -> (Running, u16) {
    let mut command = build(name, test);
    command.arg("127.0.0.1:0");
    if name == "chat" {
        command.arg(root("examples/public")).env("ORIGINS", "http://bad.example,http://good.example");
    }
    let mut running = Running::start(command);
    let line = running.line();
    let port = line
        .strip_prefix(&format!("listening on {scheme}://127.0.0.1:"))
        .and_then(|rest| rest.strip_suffix("/\n"))
        .and_then(|port| port.parse().ok())
        .unwrap_or_else(|| panic!("it printed {line:?}"));
    (running, port)
}

fn connect(
    port: u16,
    target: &str,
    header: Option<(&'static str, &'static str)>,
) -> Result<Client, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = format!("ws://127.0.0.1:{port}{target}").into_client_request()?;
    if let Some((name, value)) = header {
        request.headers_mut().insert(name, value.parse()?);
    }
    match client(request, stream) {
        Ok((client, _)) => Ok(client),
        Err(HandshakeError::Failure(error)) => Err(error.into()),
        Err(interrupted) => Err(interrupted.to_string().into()),
    }
}

fn join(port: u16, target: &str) -> Client {
    connect(port, target, Some(("origin", "http://good.example"))).unwrap()
}

fn text(client: &mut Client) -> String {
    client.read().unwrap().into_text().unwrap().to_string()
}

/// Reads the server's Close and answers it.
fn closed(client: &mut Client) -> CloseCode {
    let Message::Close(Some(frame)) = client.read().unwrap() else { panic!("no Close came") };
    while !matches!(client.read(), Err(Error::ConnectionClosed)) {}
    frame.code
}

fn ends_on(signal: &str, mut running: Running, clients: &mut [Client]) {
    running.signal(signal);
    for client in clients {
        assert_eq!(closed(client), CloseCode::Away);
    }
    let status = running.wait(PATIENCE);
    assert!(status.success(), "{status}\n{}", running.errors());
    assert_eq!(running.errors(), "");
}

fn echoes(name: &str, signal: &str) {
    // What a client may say in a second, less what it says here before.
    const BURST: usize = 90;
    let (running, port) = start(name, name, "ws");
    let mut clients = [join(port, "/"), join(port, "/")];
    for client in &mut clients {
        let long = "x".repeat(100_000);
        for message in ["text", "", "\u{1f30d}", &long] {
            client.send(Message::text(message)).unwrap();
            assert_eq!(client.read().unwrap(), Message::text(message));
            client.send(Message::binary(message.to_owned())).unwrap();
            assert_eq!(client.read().unwrap(), Message::binary(message.to_owned()));
        }
        for i in 0..BURST {
            client.write(Message::text(i.to_string())).unwrap();
        }
        client.flush().unwrap();
        for i in 0..BURST {
            assert_eq!(text(client), i.to_string());
        }
    }
    ends_on(signal, running, &mut clients);
}

#[test]
fn echo_sends_back_what_came() {
    echoes("echo", "-TERM");
}

#[test]
fn echo_pull_sends_back_what_came() {
    echoes("echo_pull", "-INT");
}

#[test]
fn echo_in_cpp_sends_back_what_came() {
    echoes("c++ echo", "-TERM");
}

#[test]
fn echo_says_why_it_cannot_start() {
    let (_first, port) = start("echo", "first", "ws");
    for name in ["echo", "c++ echo"] {
        let mut command = build(name, &format!("second-{}", name.len()));
        command.arg(format!("127.0.0.1:{port}"));
        let mut second = Running::start(command);
        assert_eq!(second.wait(PATIENCE).code(), Some(1));
        assert!(second.errors().contains(&format!("127.0.0.1:{port}")), "{}", second.errors());
    }
}

#[test]
fn threads_answers_each_question_to_who_asked() {
    let (running, port) = start("threads", "threads", "ws");
    let mut clients = [join(port, "/"), join(port, "/"), join(port, "/")];
    for (number, client) in clients.iter_mut().enumerate() {
        for question in 0..200 {
            client.write(Message::text((1000 * number + question).to_string())).unwrap();
        }
        client.flush().unwrap();
    }
    for (number, client) in clients.iter_mut().enumerate() {
        // From several threads, so in no order; each of them once.
        let mut asked: Vec<usize> = (0..200)
            .map(|_| {
                let answer = text(client);
                let (question, count) = answer.split_once(": ").unwrap();
                let question: usize = question.parse().unwrap();
                let prime = |n: &usize| (2..*n).all(|divisor| !n.is_multiple_of(divisor));
                assert_eq!(count.parse(), Ok((2..question).filter(prime).count()), "below {question}");
                question
            })
            .collect();
        asked.sort_unstable();
        assert_eq!(asked, (1000 * number..1000 * number + 200).collect::<Vec<_>>());
    }
    let mut stranger = join(port, "/");
    stranger.send(Message::text("-1")).unwrap();
    assert_eq!(closed(&mut stranger), CloseCode::Policy);
    ends_on("-TERM", running, &mut clients);
}

#[test]
fn auth_lets_in_who_has_a_token() {
    let (running, port) = start("auth", "auth", "ws");
    for stranger in [None, Some(("authorization", "Bearer water")), Some(("authorization", "Basic tea"))] {
        let refused = connect(port, "/", stranger).unwrap_err();
        let Some(Error::Http(refused)) = refused.downcast_ref() else { panic!("not refused: {refused}") };
        assert_eq!(refused.status(), 401);
        assert_eq!(refused.headers()["content-type"], "application/json");
        assert_eq!(refused.headers()["www-authenticate"], "Bearer");
        assert_eq!(refused.body().as_deref(), Some(&br#"{"error":"unknown token"}"#[..]));
    }
    let mut clients = ["Bearer tea", "Bearer coffee"]
        .map(|token| connect(port, "/", Some(("authorization", token))).unwrap());
    for (client, name) in clients.iter_mut().zip(["Ann", "Ben"]) {
        assert_eq!(text(client), format!("hello {name}"));
        client.send(Message::text("12345")).unwrap();
        assert_eq!(text(client), format!("{name} said 5 bytes"));
    }
    ends_on("-TERM", running, &mut clients);
}

#[test]
fn chat_welcomes_announces_and_relays() {
    let (running, port) = start("chat", "chat-welcomes", "http");
    let mut ann = join(port, "/chat?name=Ann");
    assert_eq!(text(&mut ann), r#"{"type":"welcome","name":"Ann","people":["Ann"]}"#);

    // Decoded, without its controls, and escaped.
    let mut bea = join(port, "/chat?x=y&name=%22b%5C%0a%C3%A9%7F");
    assert_eq!(text(&mut bea), r#"{"type":"welcome","name":"\"b\\é","people":["Ann","\"b\\é"]}"#);
    assert_eq!(text(&mut ann), r#"{"type":"join","name":"\"b\\é"}"#);

    bea.send(Message::text("")).unwrap();
    bea.send(Message::text("a \"b\" \\ /\n\u{1}\u{7f} é\u{1f30d}")).unwrap();
    for client in [&mut ann, &mut bea] {
        assert_eq!(
            text(client),
            "{\"type\":\"say\",\"name\":\"\\\"b\\\\é\",\"text\":\"a \\\"b\\\" \\\\ /\\u000a\\u0001\u{7f} é\u{1f30d}\"}"
        );
    }

    bea.send(Message::binary("no text".to_owned())).unwrap();
    assert_eq!(closed(&mut bea), CloseCode::Unsupported);
    assert_eq!(text(&mut ann), r#"{"type":"leave","name":"\"b\\é"}"#);

    let mut guest = join(port, "/chat");
    assert_eq!(text(&mut guest), r#"{"type":"welcome","name":"guest-1","people":["Ann","guest-1"]}"#);
    assert_eq!(text(&mut ann), r#"{"type":"join","name":"guest-1"}"#);
    guest.send(Message::text("x".repeat(2000))).unwrap();
    for client in [&mut ann, &mut guest] {
        assert_eq!(
            text(client),
            format!(r#"{{"type":"say","name":"guest-1","text":"{}"}}"#, "x".repeat(2000))
        );
    }
    guest.send(Message::text("x".repeat(2001))).unwrap();
    assert_eq!(closed(&mut guest), CloseCode::Size);
    assert_eq!(text(&mut ann), r#"{"type":"leave","name":"guest-1"}"#);

    ends_on("-TERM", running, &mut [ann]);
}

#[test]
fn chat_makes_names_fit() {
    let (running, port) = start("chat", "chat-names", "http");
    let mut clients = Vec::new();
    let cut = "é".repeat(32);
    let names = [
        (format!("?name={}", "%C3%A9".repeat(40)), cut.as_str()),
        ("?name=%zz%4".to_owned(), "%zz%4"),
        ("?name=%ff".to_owned(), "guest-1"),          // not UTF-8
        ("?name=%00%1f%C2%85".to_owned(), "guest-2"), // nothing but controls
        ("?name=".to_owned(), "guest-3"),
        ("?names=x".to_owned(), "guest-4"),
    ];
    for (query, name) in names {
        let mut client = join(port, &format!("/chat{query}"));
        let welcome = text(&mut client);
        assert!(
            welcome.starts_with(&format!(r#"{{"type":"welcome","name":"{name}","people":["#)),
            "{welcome}"
        );
        clients.push(client);
    }
    // What they hear of each other is the other test's; here they just leave.
    for client in &mut clients {
        client.close(None).unwrap();
        while client.read().is_ok() {}
    }
    ends_on("-INT", running, &mut []);
}

#[test]
fn chat_keeps_strange_pages_out() {
    let (running, port) = start("chat", "chat-origins", "http");
    let refused = connect(port, "/chat?name=x", Some(("origin", "http://strange.example"))).unwrap_err();
    assert!(refused.to_string().contains("403"), "{refused}");
    ends_on("-TERM", running, &mut []);
}
