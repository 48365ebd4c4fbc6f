//! Messages in parts: `/stream` and `/parts`.

use wsgate::{ClientId, Config, EndpointId, Event, Handle, Kind, Result};

use super::conformance::text;
use super::{MIB, is_binary};

pub(crate) struct Streams {
    stream: EndpointId,
    parts: EndpointId,
}

impl Streams {
    pub(crate) fn configure(config: &mut Config) -> Result<Self> {
        let stream = super::add_endpoint(config, "/stream")?;
        config.set_streaming(stream, true)?;
        config.set_max_message_size(stream, 2 * MIB)?;
        // The longest message has room: who sends the next has read it.
        config.set_outbox_limit(stream, 4 * MIB, 10_000)?;
        Ok(Self { stream, parts: super::add_endpoint(config, "/parts")? })
    }

    /// False when the event is of another endpoint.
    pub(crate) fn on_event(&self, server: &Handle, event: &Event<'_>) -> Result<bool> {
        let (client, endpoint) = (ClientId(event.client), EndpointId(event.endpoint));
        if endpoint == self.stream {
            match event.kind {
                Kind::Begin if is_binary(event) => server.begin_binary(client)?,
                Kind::Begin => server.begin_text(client)?,
                Kind::Chunk => server.send_chunk(client, event.data)?,
                Kind::End => server.end_message(client, b"")?,
                _ => super::echo(server, event),
            }
        } else if endpoint == self.parts && event.kind == Kind::Message {
            let mut words = text(event).split(' ');
            match words.next() {
                Some("words") => {
                    server.begin_text(client)?;
                    for (i, word) in words.enumerate() {
                        server.send_chunk(client, word.as_bytes())?;
                        if i == 0 {
                            server.send_text(client, b"behind")?;
                        }
                    }
                    server.end_message(client, b"")?;
                }
                Some("half") => {
                    server.begin_text(client)?;
                    server.send_chunk(client, words.next().unwrap_or_default().as_bytes())?;
                    server.abort_message(client)?;
                }
                _ => {}
            }
        } else {
            return Ok(endpoint == self.parts);
        }
        Ok(true)
    }
}
