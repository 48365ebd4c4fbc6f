//! The chat: `chat [ADDRESS] [PUBLIC_DIR]`, 127.0.0.1:8080 and examples/public by default.
//!
//! `ORIGINS` (comma separated; `*` for any) replaces the origins that may connect: by default the
//! page's own, at ADDRESS.
#![allow(clippy::print_stdout)] // it is a program

mod signals;

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use wsgate::{ClientId, Config, Delivery, Event, GatewayId, Handle, Handler, Kind, Request, Server, event};

/// The longest message that may be said, in bytes.
const MAX_SAID: u64 = 2_000;
/// The longest name, in characters.
const MAX_NAME: usize = 32;

struct Chat {
    everybody: GatewayId,
    here: Mutex<Here>,
}

/// Who is here, in order of arrival.
#[derive(Default)]
struct Here {
    people: Vec<(u64, String)>,
    guests: u32,
}

impl Handler for Chat {
    fn on_event(&self, server: &Handle, event: &Event<'_>) {
        // Callbacks run on several threads. The lock is held while joins, says and leaves are sent, so
        // that everybody sees them in one order.
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let client = ClientId(event.client);
        // A send can only fail because the client, or the server, is gone: its CLOSE will tell.
        let _ = match event.kind {
            Kind::Accept => self.welcome(server, &mut here, client, event.data),
            Kind::Message if event.flags & event::FLAG_BINARY != 0 => {
                server.close(client, 1003, b"text only")
            }
            Kind::Message => self.say(server, &here, client, event.data),
            Kind::Close => self.leave(server, &mut here, client),
            _ => Ok(()),
        };
    }
}

impl Chat {
    fn welcome(
        &self,
        server: &Handle,
        here: &mut Here,
        client: ClientId,
        request: &[u8],
    ) -> wsgate::Result<()> {
        let name = Request::parse(request)?.query().and_then(name_in).unwrap_or_else(|| {
            here.guests += 1;
            format!("guest-{}", here.guests)
        });
        here.people.push((client.0, name.clone()));
        let people: Vec<String> = here.people.iter().map(|(_, name)| quoted(name)).collect();
        let name = quoted(&name);
        let welcome = format!(r#"{{"type":"welcome","name":{name},"people":[{}]}}"#, people.join(","));
        server.send_text(client, welcome.as_bytes())?;
        let join = format!(r#"{{"type":"join","name":{name}}}"#);
        server.broadcast_text(self.everybody, join.as_bytes(), &[client])
    }

    fn say(&self, server: &Handle, here: &Here, client: ClientId, text: &[u8]) -> wsgate::Result<()> {
        let (Ok(text), false) = (std::str::from_utf8(text), text.is_empty()) else { return Ok(()) };
        let Some((_, name)) = here.people.iter().find(|(id, _)| *id == client.0) else { return Ok(()) };
        let say = format!(r#"{{"type":"say","name":{},"text":{}}}"#, quoted(name), quoted(text));
        server.broadcast_text(self.everybody, say.as_bytes(), &[])
    }

    fn leave(&self, server: &Handle, here: &mut Here, client: ClientId) -> wsgate::Result<()> {
        let Some(at) = here.people.iter().position(|(id, _)| *id == client.0) else { return Ok(()) };
        let (_, name) = here.people.remove(at);
        let leave = format!(r#"{{"type":"leave","name":{}}}"#, quoted(&name));
        server.broadcast_text(self.everybody, leave.as_bytes(), &[])
    }
}

/// The value of `name` in a query, decoded, without control characters, cut to its length.
fn name_in(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("name="))?;
    let decoded = String::from_utf8_lossy(&percent_decoded(value)).into_owned();
    let name: String = decoded.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    (!name.is_empty()).then_some(name)
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digits = (ahead.next(), ahead.next());
        let hex = |digit: Option<u8>| digit.and_then(|digit| char::from(digit).to_digit(16));
        match (byte, hex(digits.0), hex(digits.1)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                bytes = ahead;
            }
            (b'+', ..) => out.push(b' '),
            _ => out.push(byte),
        }
    }
    out
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // Writing to a String can't fail.
            c if c < ' ' => drop(write!(out, "\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn main() -> wsgate::Result<()> {
    let stop = signals::block();
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".into());
    let public = arguments.next().unwrap_or_else(|| "examples/public".into());
    let port = address.rsplit(':').next().unwrap_or_default();
    let own = format!("http://127.0.0.1:{port},http://localhost:{port}");
    let origins = std::env::var("ORIGINS").unwrap_or(own);

    let mut config = Config::new();
    config.listen(&address)?;
    config.set_directory(public)?;
    let endpoint = config.add_endpoint("/chat")?;
    config.set_max_message_size(endpoint, MAX_SAID)?;
    if origins != "*" {
        for origin in origins.split(',') {
            config.add_origin(endpoint, origin.trim())?;
        }
    }
    let everybody = config.new_gateway()?;
    config.set_gateway(endpoint, everybody)?;

    let chat = Chat { everybody, here: Mutex::default() };
    let server = Server::start(config, Delivery::push(chat))?;
    println!("listening on http://127.0.0.1:{}/", server.port(0)?);

    stop.wait();
    server.stop(std::time::Duration::from_secs(3))?;
    server.join()
}
