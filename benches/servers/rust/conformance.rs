//! The endpoints that one scenario file tests in every language: each is a small protocol of text
//! commands.

use wsgate::{
    Cause, ClientId, Config, EndpointId, Event, GatewayId, Handle, Handler, Info, Kind, Request, Result,
    event,
};

use super::decisions::Decisions;
use super::streams::Streams;

pub(crate) struct Conformance {
    decisions: Decisions,
    streams: Streams,
    welcome: EndpointId,
    close: EndpointId,
    ping: EndpointId,
    room: EndpointId,
    watched: EndpointId,
    /// The clients of `/room` and of `/watch`.
    members: GatewayId,
    watchers: GatewayId,
}

impl Conformance {
    pub(crate) fn configure(config: &mut Config) -> Result<Self> {
        super::add_endpoint(config, "/echo")?;
        let small = super::add_endpoint(config, "/small")?;
        config.set_max_message_size(small, 1000)?;
        config.set_max_frame_size(small, 500)?;
        config.set_max_fragments(small, 4)?;
        let origin = super::add_endpoint(config, "/origin")?;
        config.add_origin(origin, "http://good.example")?;
        let (members, watchers) = (config.new_gateway()?, config.new_gateway()?);
        let room = super::add_endpoint(config, "/room")?;
        config.set_gateway(room, members)?;
        let watch = super::add_endpoint(config, "/watch")?;
        config.set_gateway(watch, watchers)?;
        Ok(Self {
            decisions: Decisions::configure(config)?,
            streams: Streams::configure(config)?,
            welcome: super::add_endpoint(config, "/welcome")?,
            close: super::add_endpoint(config, "/close")?,
            ping: super::add_endpoint(config, "/ping")?,
            watched: super::add_endpoint(config, "/watched")?,
            room,
            members,
            watchers,
        })
    }

    fn welcome(&self, server: &Handle, event: &Event<'_>) -> Result<()> {
        if event.kind != Kind::Accept {
            super::echo(server, event);
            return Ok(());
        }
        let request = Request::parse(event.data)?;
        let mut text = format!("welcome {}", request.target());
        if let Some(value) = request.header("x-test") {
            text = format!("{text} {}", String::from_utf8_lossy(value));
        }
        server.send_text(ClientId(event.client), text.as_bytes())
    }

    fn ping(&self, server: &Handle, event: &Event<'_>) -> Result<()> {
        let client = ClientId(event.client);
        match event.kind {
            Kind::Message => server.ping(client, text(event).parse().unwrap_or(0)),
            Kind::Pong => server.send_text(client, format!("pong {}", event.value).as_bytes()),
            _ => Ok(()),
        }
    }

    fn room(&self, server: &Handle, event: &Event<'_>) -> Result<()> {
        if event.kind != Kind::Message {
            return Ok(());
        }
        let client = ClientId(event.client);
        let (command, rest) = text(event).split_once(' ').unwrap_or((text(event), ""));
        match command {
            "all" => server.broadcast_text(self.members, rest.as_bytes(), &[]),
            "others" => server.broadcast_text(self.members, rest.as_bytes(), &[client]),
            "bytes" => server.broadcast_binary(self.members, rest.as_bytes(), &[]),
            "order" => (1..=rest.parse().unwrap_or(0u64)).try_for_each(|i| {
                server.send_text(client, format!("d {i}").as_bytes())?;
                server.broadcast_text(self.members, format!("b {i}").as_bytes(), &[])
            }),
            "leave" => {
                server.leave_gateway(self.members, client)?;
                server.send_text(client, b"left")
            }
            "join" => {
                server.join_gateway(self.members, client)?;
                server.send_text(client, b"joined")
            }
            _ => server.send_text(client, b"what?"),
        }
    }

    fn watched(&self, server: &Handle, event: &Event<'_>) -> Result<()> {
        let report = match event.kind {
            Kind::Accept => format!("accept {}", Request::parse(event.data)?.target()),
            Kind::Close => {
                let Some((info, reason)) = Info::split(event.data) else { return Ok(()) };
                format!(
                    "close {} {} {} {} {} {}",
                    event.code,
                    cause(event.value),
                    u8::from(event.flags & event::FLAG_CLEAN != 0),
                    info.messages_in,
                    info.messages_out,
                    String::from_utf8_lossy(reason),
                )
            }
            _ => {
                if let Some(told) = text(event).strip_prefix("bye ") {
                    return close_as_told(server, event.client, told);
                }
                super::echo(server, event);
                return Ok(());
            }
        };
        server.broadcast_text(self.watchers, report.as_bytes(), &[])
    }
}

impl Handler for Conformance {
    fn on_event(&self, server: &Handle, event: &Event<'_>) {
        // Who has left meanwhile has nobody to tell.
        if self.decisions.on_event(server, event).unwrap_or(true)
            || self.streams.on_event(server, event).unwrap_or(true)
        {
            return;
        }
        let endpoint = EndpointId(event.endpoint);
        // A send can only fail because the client is gone, which the scenarios see.
        let _ = match endpoint {
            endpoint if endpoint == self.welcome => self.welcome(server, event),
            endpoint if endpoint == self.ping => self.ping(server, event),
            endpoint if endpoint == self.room => self.room(server, event),
            endpoint if endpoint == self.watched => self.watched(server, event),
            endpoint if endpoint == self.close && event.kind == Kind::Message => {
                close_as_told(server, event.client, text(event))
            }
            _ => {
                super::echo(server, event);
                Ok(())
            }
        };
    }
}

fn close_as_told(server: &Handle, client: u64, told: &str) -> Result<()> {
    let (code, reason) = told.split_once(' ').unwrap_or((told, ""));
    server.close(ClientId(client), code.parse().unwrap_or(0), reason.as_bytes())
}

/// A text message's text; nothing for a binary one.
pub(crate) fn text<'a>(event: &Event<'a>) -> &'a str {
    if super::is_binary(event) { "" } else { std::str::from_utf8(event.data).unwrap_or_default() }
}

fn cause(number: u64) -> &'static str {
    const CAUSES: [(Cause, &str); 8] = [
        (Cause::Peer, "peer"),
        (Cause::Application, "application"),
        (Cause::Protocol, "protocol"),
        (Cause::Limit, "limit"),
        (Cause::Heartbeat, "heartbeat"),
        (Cause::Slow, "slow"),
        (Cause::Shutdown, "shutdown"),
        (Cause::Lost, "lost"),
    ];
    CAUSES.iter().find(|(cause, _)| *cause as u64 == number).map_or("unknown", |(_, name)| name)
}
