//! What a server says before a connection is a client: endpoints whose clients are told how they came in,
//! handshakes and requests that are decided when another client says so, and the words of refusals.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wsgate::{
    ClientId, Config, EndpointId, ErrorKind, Event, GatewayId, Handle, Kind, Request, RequestId, Result,
    event,
};

pub(crate) struct Decisions {
    protocols: EndpointId,
    rooms: EndpointId,
    files: EndpointId,
    decided: EndpointId,
    impatient: EndpointId,
    decider: EndpointId,
    /// The clients of `/decider`.
    deciders: GatewayId,
    /// The latest one of each name.
    questions: Mutex<HashMap<String, Question>>,
}

/// A handshake or request that waits, or waited, for a decider's word.
#[derive(Clone)]
struct Question {
    id: u64,
    /// The last one of a handshake's offer.
    subprotocol: String,
    /// To a request.
    answer: String,
}

impl Decisions {
    pub(crate) fn configure(config: &mut Config) -> Result<Self> {
        config.set_requests(true);
        config.set_error_pages(10_000)?;

        let protocols = super::add_endpoint(config, "/protocols")?;
        config.add_subprotocol(protocols, "two")?;
        config.add_subprotocol(protocols, "one")?;
        let origins = super::add_endpoint(config, "/origins")?;
        for origin in ["https://one.example", "*.many.example", "https://*.safe.example"] {
            config.add_origin(origins, origin)?;
        }
        let same_host = super::add_endpoint(config, "/same-host")?;
        config.set_same_host(same_host, true)?;

        let deciders = config.new_gateway()?;
        let decider = super::add_endpoint(config, "/decider")?;
        config.set_gateway(decider, deciders)?;
        let decided = super::add_endpoint(config, "/decide")?;
        let impatient = super::add_endpoint(config, "/impatient")?;
        config.set_acceptor(decided, true)?;
        config.set_acceptor(impatient, true)?;
        config.set_handshake_timeout(impatient, 200)?;
        Ok(Self {
            protocols,
            rooms: super::add_endpoint(config, "/rooms/:room/users/:user")?,
            files: super::add_endpoint(config, "/files/*")?,
            decided,
            impatient,
            decider,
            deciders,
            questions: Mutex::default(),
        })
    }

    /// Replies to an event, if it is one of these; false if not.
    pub(crate) fn on_event(&self, server: &Handle, event: &Event<'_>) -> Result<bool> {
        let endpoint = EndpointId(event.endpoint);
        let is_decided = endpoint == self.decided || endpoint == self.impatient;
        match event.kind {
            Kind::Request => self.request(server, event)?,
            Kind::Handshake => self.wait(server, event.client, &Request::parse(event.data)?)?,
            Kind::HandshakeGone => self.tell(server, "gone", event.client)?,
            Kind::Accept if is_decided => self.tell(server, "accept", event.client)?,
            Kind::Close if is_decided => self.tell(server, "close", event.client)?,
            Kind::Accept => self.welcome(server, endpoint, event)?,
            Kind::Message if endpoint == self.decider => {
                self.command(server, event.client, super::conformance::text(event))?;
            }
            _ => return Ok(false),
        }
        Ok(matches!(event.kind, Kind::Request | Kind::Handshake | Kind::HandshakeGone | Kind::Message))
    }

    fn welcome(&self, server: &Handle, endpoint: EndpointId, event: &Event<'_>) -> Result<()> {
        let request = Request::parse(event.data)?;
        let parameter = |name| request.parameter(name).unwrap_or_default();
        let text = if endpoint == self.protocols {
            match request.subprotocol() {
                "" => "protocol none".to_owned(),
                name => format!("protocol {name}"),
            }
        } else if endpoint == self.rooms {
            let query = request.query().unwrap_or_default();
            format!("room {} user {} query {query}", parameter("room"), parameter("user"))
        } else if endpoint == self.files {
            format!("rest {}", parameter("*"))
        } else {
            return Ok(());
        };
        server.send_text(ClientId(event.client), text.as_bytes())
    }

    fn request(&self, server: &Handle, event: &Event<'_>) -> Result<()> {
        let request = Request::parse(event.data)?;
        let id = RequestId(event.client);
        if event.flags & event::FLAG_REFUSED != 0 {
            return refuse(server, id, event.code);
        }
        match request.path() {
            "/api/later" => self.wait(server, event.client, &request),
            "/api/echo" => server.respond(id, 200, PLAIN, echo(&request).as_bytes()),
            _ => refuse(server, id, 404),
        }
    }

    /// Handshakes of `/decide` and `/impatient`, and `/api/later`: they wait for a decider.
    fn wait(&self, server: &Handle, id: u64, request: &Request<'_>) -> Result<()> {
        let name = request.query().unwrap_or_default();
        let subprotocol = request.subprotocol().rsplit(", ").next().unwrap_or_default().to_owned();
        self.questions().insert(name.to_owned(), Question { id, subprotocol, answer: echo(request) });
        server.broadcast_text(self.deciders, format!("wait {name}").as_bytes(), &[])
    }

    /// Tells the deciders what became of a question.
    fn tell(&self, server: &Handle, what: &str, id: u64) -> Result<()> {
        let name =
            self.questions().iter().find(|(_, question)| question.id == id).map(|(name, _)| name.clone());
        let text = format!("{what} {}", name.unwrap_or_default());
        server.broadcast_text(self.deciders, text.as_bytes(), &[])
    }

    fn command(&self, server: &Handle, decider: u64, command: &str) -> Result<()> {
        let (verb, name) = command.split_once(' ').unwrap_or((command, ""));
        let Some(Question { id, subprotocol, answer }) = self.questions().get(name).cloned() else {
            return Ok(());
        };
        let handshake = ClientId(id);
        let done = match verb {
            "accept" => {
                let cookie = format!("name={name}");
                // It is no client yet, and gets this first all the same.
                server
                    .accept(handshake, Some(&subprotocol), &[(b"Set-Cookie", cookie.as_bytes())], 0)
                    .and_then(|()| server.send_text(handshake, format!("hello {name}").as_bytes()))
            }
            "login" => server.reject(
                handshake,
                401,
                &[
                    (b"Content-Type", b"application/json"),
                    (b"WWW-Authenticate", b"Bearer realm=\"conformance\""),
                ],
                br#"{"error":"log in first"}"#,
            ),
            "redirect" => server.reject(handshake, 302, &[(b"Location", b"/echo")], b""),
            _ => server.respond(RequestId(id), 200, PLAIN, answer.as_bytes()),
        };
        match done {
            Err(error) if error.kind() == ErrorKind::Closed => {
                server.send_text(ClientId(decider), format!("closed {name}").as_bytes())
            }
            done => done,
        }
    }

    fn questions(&self) -> MutexGuard<'_, HashMap<String, Question>> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PLAIN: &[(&[u8], &[u8])] = &[(b"Content-Type", b"text/plain")];

fn refuse(server: &Handle, request: RequestId, status: u32) -> Result<()> {
    let body = format!("{{\"refused\":{status}}}");
    server.respond(request, status, &[(b"Content-Type", b"application/json")], body.as_bytes())
}

fn echo(request: &Request<'_>) -> String {
    format!("{} {}\n{}", request.method(), request.target(), String::from_utf8_lossy(request.body()))
}
