//! Lets in who has a token, and looks it up on a thread of its own. `auth [ADDRESS]`, 127.0.0.1:9001 by default.
//!
//! The tokens "tea" and "coffee", as the cookie `token` or as `Authorization: Bearer TOKEN`, are Ann's and Ben's,
//! who are greeted by name; others get a 401 with a JSON body.
#![allow(clippy::print_stdout)] // it is a program

mod signals;

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use wsgate::{ClientId, Config, Delivery, Event, Handle, Kind, Result, Server};

const USERS: [(&str, &str); 2] = [("tea", "Ann"), ("coffee", "Ben")];

/// The token that a handshake shows; `None` when it shows none, or is gone.
fn token(server: &Handle, handshake: ClientId) -> Option<String> {
    let header = |name| {
        let value = server.pending_header(handshake.0, name).ok().flatten()?;
        String::from_utf8(value).ok()
    };
    let bearer = header("Authorization").and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned));
    bearer.or_else(|| {
        let cookies = header("Cookie")?;
        cookies.split("; ").find_map(|cookie| cookie.strip_prefix("token=")).map(str::to_owned)
    })
}

/// The number of the user whose token this is. A database would take its time, too.
fn look_up(token: &str) -> Option<usize> {
    thread::sleep(Duration::from_millis(50));
    USERS.iter().position(|(known, _)| *known == token)
}

/// Decides on handshakes until nobody sends any.
fn decide(handshakes: &Receiver<(Handle, ClientId)>) {
    for (server, handshake) in handshakes {
        let decided = match token(&server, handshake).as_deref().and_then(look_up) {
            // The word comes back with each of the client's events: no table from ids to users is needed.
            Some(user) => server.accept(handshake, None, &[], user as u64),
            None => server.reject(
                handshake,
                401,
                &[(b"Content-Type", b"application/json"), (b"WWW-Authenticate", b"Bearer")],
                br#"{"error":"unknown token"}"#,
            ),
        };
        // Closed: the peer has left meanwhile, and there is nothing to undo.
        drop(decided);
    }
}

fn on_event(server: &Handle, event: &Event<'_>) {
    let name =
        usize::try_from(event.user_data).ok().and_then(|user| USERS.get(user)).map_or("", |(_, name)| name);
    let text = match event.kind {
        Kind::Accept => format!("hello {name}"),
        Kind::Message => format!("{name} said {} bytes", event.data.len()),
        _ => return,
    };
    // A client that is gone by now has nobody to tell.
    let _ = server.send_text(ClientId(event.client), text.as_bytes());
}

fn main() -> Result<()> {
    let stop = signals::block();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());

    let mut config = Config::new();
    config.listen(&address)?;
    let endpoint = config.add_endpoint("/")?;
    config.set_acceptor(endpoint, true)?;
    config.set_handshake_timeout(endpoint, 5_000)?;
    let (handshakes, waiting) = channel();
    let decider = thread::spawn(move || decide(&waiting));
    let server = Server::start(
        config,
        Delivery::push(move |server: &Handle, event: &Event<'_>| match event.kind {
            // A callback must not block.
            Kind::Handshake => drop(handshakes.send((server.clone(), ClientId(event.client)))),
            _ => on_event(server, event),
        }),
    )?;
    println!("listening on ws://127.0.0.1:{}/", server.port(0)?);

    stop.wait();
    server.stop(Duration::from_secs(3))?;
    let ended = server.join();
    // With the server goes its callback, and with that the channel.
    drop(server);
    let _ = decider.join();
    ended
}
