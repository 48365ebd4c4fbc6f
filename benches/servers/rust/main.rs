//! `bench-server MODE PORT`: the Rust API's server for benches and conformance.
#![allow(clippy::print_stdout)] // it is a program

mod conformance;
mod decisions;
#[path = "../../../examples/rust/signals.rs"]
mod signals;
mod streams;

use std::time::Duration;

use wsgate::{ClientId, Config, Delivery, EndpointId, Event, Handle, Kind, Result, Server, event};

const MIB: u64 = 1 << 20;

/// Clients may say as much and as little as they like, and get what they are sent frame by frame.
fn add_endpoint(config: &mut Config, path: &str) -> Result<EndpointId> {
    let endpoint = config.add_endpoint(path)?;
    config.set_frame_split(endpoint, 0)?;
    config.set_heartbeat(endpoint, 0, 3)?;
    config.set_rate_limit(endpoint, 0, 0)?;
    Ok(endpoint)
}

/// Limits so wide that a benchmark measures the server and not them.
fn add_unlimited_endpoint(config: &mut Config) -> Result<EndpointId> {
    let endpoint = add_endpoint(config, "/")?;
    config.set_max_message_size(endpoint, 64 * MIB)?;
    config.set_max_frame_size(endpoint, 64 * MIB)?;
    config.set_max_fragments(endpoint, 1_000_000)?;
    config.set_outbox_limit(endpoint, 256 * MIB, 30_000)?;
    // The -deflate- scripts: every message, each for itself, or with takeover.
    if let Ok(deflate) = std::env::var("DEFLATE") {
        let takeover = deflate == "takeover";
        config.set_compression(endpoint, 6)?;
        config.set_compression_takeover(endpoint, takeover, takeover)?;
        config.set_compression_of(endpoint, 0, true, true)?;
    }
    Ok(endpoint)
}

fn is_binary(event: &Event<'_>) -> bool {
    event.flags & event::FLAG_BINARY != 0
}

/// Sends a message back as it came. A client that is gone has nobody to tell.
fn echo(server: &Handle, event: &Event<'_>) {
    let client = ClientId(event.client);
    let _ = match (event.kind, is_binary(event)) {
        (Kind::Message, false) => server.send_text(client, event.data),
        (Kind::Message, true) => server.send_binary(client, event.data),
        _ => Ok(()),
    };
}

fn main() -> Result<()> {
    let stop = signals::block();
    let mut arguments = std::env::args().skip(1);
    let (mode, port) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let workers = std::env::var("WORKERS").ok().and_then(|workers| workers.parse().ok()).unwrap_or(1);

    let mut config = Config::new();
    config.listen(&format!("127.0.0.1:{port}"))?;
    config.set_workers(workers)?;
    config.set_max_connections(0)?;
    let delivery = match mode.as_str() {
        "echo" => {
            add_unlimited_endpoint(&mut config)?;
            Delivery::push(echo)
        }
        "broadcast" => {
            let gateway = config.new_gateway()?;
            let endpoint = add_unlimited_endpoint(&mut config)?;
            config.set_gateway(endpoint, gateway)?;
            Delivery::push(move |server: &Handle, event: &Event<'_>| {
                let _ = match (event.kind, is_binary(event)) {
                    (Kind::Message, false) => server.broadcast_text(gateway, event.data, &[]),
                    (Kind::Message, true) => server.broadcast_binary(gateway, event.data, &[]),
                    _ => Ok(()),
                };
            })
        }
        "conformance" => Delivery::push(conformance::Conformance::configure(&mut config)?),
        _ => {
            return Err(wsgate::Error::new(
                wsgate::ErrorKind::Invalid,
                "usage: echo|broadcast|conformance PORT",
            ));
        }
    };
    let server = Server::start(config, delivery)?;
    println!("listening on ws://127.0.0.1:{}/", server.port(0)?);

    stop.wait();
    server.stop(Duration::from_secs(3))?;
    server.join()
}
