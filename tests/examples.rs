//! The Rust examples do what the other languages' examples do.
#![allow(clippy::unwrap_used)] // a test may fail so

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, HandshakeError, Message, WebSocket, client};

const PATIENCE: Duration = Duration::from_secs(20);

type Client = WebSocket<TcpStream>;

/// An example that runs until it is told to end.
struct Example {
    process: Child,
    port: u16,
}

impl Example {
    fn start(name: &str) -> Self {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["run", "--quiet", "--locked", "--example", name]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        let mut process = cargo.args(["--", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port =
            line.strip_prefix("listening on ws://127.0.0.1:").and_then(|rest| rest.strip_suffix("/\n"));
        let Some(port) = port.and_then(|port| port.parse().ok()) else { panic!("{name} printed {line:?}") };
        Self { process, port }
    }

    fn connect(&self, header: Option<(&'static str, &str)>) -> Result<Client, Box<Error>> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = format!("ws://127.0.0.1:{}/", self.port).into_client_request().unwrap();
        if let Some((name, value)) = header {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match client(request, stream) {
            Ok((client, _)) => Ok(client),
            Err(HandshakeError::Failure(error)) => Err(Box::new(error)),
            Err(HandshakeError::Interrupted(_)) => panic!("no answer came in time"),
        }
    }

    /// Ends it by SIGTERM, which says 1001 to its clients and leaves with status 0.
    fn end(mut self, clients: &mut [Client]) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        for client in clients {
            let Message::Close(Some(frame)) = client.read().unwrap() else { panic!("no Close came") };
            assert_eq!(frame.code, CloseCode::Away);
            while !matches!(client.read(), Err(Error::ConnectionClosed)) {}
        }
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn text(client: &mut Client) -> String {
    client.read().unwrap().into_text().unwrap().to_string()
}

#[test]
fn echo_sends_back_what_came() {
    let example = Example::start("echo");
    let mut clients = [example.connect(None).unwrap(), example.connect(None).unwrap()];
    for client in &mut clients {
        for message in [Message::text("\u{1f30d}"), Message::binary(vec![0, 255]), Message::text("")] {
            client.send(message.clone()).unwrap();
            assert_eq!(client.read().unwrap(), message);
        }
    }
    example.end(&mut clients);
}

#[test]
fn auth_lets_in_who_has_a_token() {
    let example = Example::start("auth");
    for stranger in [None, Some(("authorization", "Bearer water")), Some(("cookie", "token=water"))] {
        let Error::Http(refused) = *example.connect(stranger).unwrap_err() else { panic!("not refused") };
        assert_eq!(refused.status(), 401);
        assert_eq!(refused.headers()["content-type"], "application/json");
        assert_eq!(refused.headers()["www-authenticate"], "Bearer");
        assert_eq!(refused.body().as_deref(), Some(&br#"{"error":"unknown token"}"#[..]));
    }
    let mut clients = [("authorization", "Bearer tea"), ("cookie", "x=1; token=coffee")]
        .map(|header| example.connect(Some(header)).unwrap());
    for (client, name) in clients.iter_mut().zip(["Ann", "Ben"]) {
        assert_eq!(text(client), format!("hello {name}"));
        client.send(Message::text("12345")).unwrap();
        assert_eq!(text(client), format!("{name} said 5 bytes"));
    }
    example.end(&mut clients);
}
