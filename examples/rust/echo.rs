//! Echo: text as text, binary as binary. `echo [ADDRESS]`, 127.0.0.1:9001 by default.
#![allow(clippy::print_stdout)] // it is a program

mod signals;

use wsgate::{ClientId, Config, Delivery, Event, Handle, Kind, Server, event};

fn on_event(server: &Handle, event: &Event<'_>) {
    if event.kind == Kind::Message {
        let client = ClientId(event.client);
        // A client that is gone by now, or takes nothing, misses its echo: there is nobody to tell.
        let _ = match event.flags & event::FLAG_BINARY {
            0 => server.send_text(client, event.data),
            _ => server.send_binary(client, event.data),
        };
    }
}

fn main() -> wsgate::Result<()> {
    let stop = signals::block();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());

    let mut config = Config::new();
    config.listen(&address)?;
    config.add_endpoint("/")?;
    let server = Server::start(config, Delivery::push(on_event))?;
    println!("listening on ws://127.0.0.1:{}/", server.port(0)?);

    stop.wait();
    server.stop(std::time::Duration::from_secs(3))?;
    server.join()
}
