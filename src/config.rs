//! Every setting: its name, default, bounds and unit, in one table; and what a server is made of.

mod address;
mod compression;
mod http;
mod pattern;

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::gateway::Gateways;
use crate::protocol::Limits;

pub(crate) use address::Address;
pub(crate) use compression::Compression;
pub use compression::{
    COMPRESSION_LEVEL, COMPRESSION_MEMORY, COMPRESSION_RATIO, COMPRESSION_THRESHOLD, COMPRESSION_WINDOW,
    Compress,
};
pub use http::{
    BODY_TIMEOUT, CACHE_TIME, ERROR_PAGE_TIMEOUT, HANDSHAKE_TIMEOUT, HEADER_TIMEOUT, IDLE_TIMEOUT,
    MAX_BODY_SIZE, MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS, MAX_HEADER_SIZE, MAX_REQUESTS,
    REQUEST_TIMEOUT, UNIX_MODE, WRITE_TIMEOUT,
};
pub(crate) use http::{Handshakes, Http, is_token};
pub(crate) use pattern::{Pattern, Segment};

/// One number that may be set.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name, as in the setters and in errors.
    pub name: &'static str,
    /// Its value when nobody sets it.
    pub default: u64,
    /// The least it may be.
    pub min: u64,
    /// The most it may be.
    pub max: u64,
    /// What it counts.
    pub unit: &'static str,
}

impl Setting {
    /// The value, if it lies within the bounds.
    pub fn check(&self, value: u64) -> Result<u64> {
        if (self.min..=self.max).contains(&value) {
            return Ok(value);
        }
        let Self { name, min, max, unit, .. } = self;
        Err(Error::new(ErrorKind::Config, format!("{name} is {value}, not within {min} to {max} {unit}")))
    }

    /// The same, for a setting that 0 turns off.
    pub fn check_or_off(&self, value: u64) -> Result<u64> {
        if value == 0 {
            return Ok(0);
        }
        self.check(value)
            .map_err(|error| Error::new(ErrorKind::Config, format!("{error}, nor 0, which is off")))
    }
}

const fn setting(name: &'static str, default: u64, min: u64, max: u64, unit: &'static str) -> Setting {
    Setting { name, default, min, max, unit }
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Worker threads; 0 means one for each core.
pub const WORKERS: Setting = setting("workers", 0, 0, 1024, "threads");
/// The most severe level is 1 (error), the finest 5 (trace); 0 is off.
pub const LOG_LEVEL: Setting = setting("log level", 2, 0, 5, "(off, error, warn, info, debug, trace)");
/// Pull delivery: how many bytes of events may wait before reading stops.
pub const QUEUE_LIMIT: Setting = setting("queue limit", 16 * MIB, 64 * KIB, 64 * GIB, "bytes");
/// The longest message a client may send.
pub const MAX_MESSAGE_SIZE: Setting = setting("max message size", 10 * MIB, 1, GIB, "bytes");
/// The longest frame a client may send.
pub const MAX_FRAME_SIZE: Setting = setting("max frame size", MIB, 1, GIB, "bytes");
/// The most fragments a client's message may have.
pub const MAX_FRAGMENTS: Setting = setting("max fragments", 65_536, 1, 1 << 32, "fragments");
/// How long the closing handshake may take.
pub const CLOSE_PERIOD: Setting = setting("close period", 3_000, 1, 3_600_000, "milliseconds");
/// How many bytes may wait for one client.
pub const OUTBOX_BYTES: Setting = setting("outbox limit", MIB, 1, GIB, "bytes");
/// How many messages may wait for one client.
pub const OUTBOX_MESSAGES: Setting = setting("outbox limit", 10_000, 1, 100_000, "messages");
/// How many bytes may wait for all clients of all servers in the process.
pub const OUTBOX_BUDGET: Setting = setting("outbox budget", 512 * MIB, MIB, 1 << 50, "bytes");
/// How many bytes of messages that are not whole may be held for all clients of all servers in the process.
pub const INBOX_BUDGET: Setting = setting("inbox budget", 512 * MIB, MIB, 1 << 50, "bytes");
/// A longer message is sent in frames of at most this size; 0: in one frame.
pub const FRAME_SPLIT: Setting = setting("frame split threshold", 32 * KIB, 128, GIB, "bytes");
/// How many bytes of a client's messages the application may have in hand before it is no longer read.
pub const WINDOW_BYTES: Setting = setting("receive window", MIB, 1, GIB, "bytes");
/// How many of a client's messages the application may have in hand before it is no longer read.
pub const WINDOW_MESSAGES: Setting = setting("receive window", 64, 1, 1 << 31, "messages");
/// How long nothing is read before a ping is sent; 0: no pings.
pub const HEARTBEAT_PERIOD: Setting = setting("heartbeat period", 10_000, 50, 86_400_000, "milliseconds");
/// How many pings of the heartbeat may stay unanswered.
pub const HEARTBEAT_LIMIT: Setting = setting("heartbeat limit", 3, 1, 1_000, "pings");
/// How many bytes a client may send in a second; 0: any number.
pub const RATE_BYTES: Setting = setting("rate limit", MIB, 1, 1 << 40, "bytes per second");
/// How many frames a client may send in a second; 0: any number.
pub const RATE_FRAMES: Setting = setting("rate limit", 100, 1, 1 << 31, "frames per second");
/// How long a message that is sent in parts may wait for its next one; 0: for ever.
pub const STREAM_TIMEOUT: Setting = setting("stream timeout", 60_000, 50, 86_400_000, "milliseconds");
/// The longest message that may be sent.
pub const MAX_SEND_SIZE: Setting = setting("message size", 0, 0, GIB, "bytes");

/// What becomes of a broadcast for a client whose outbox has no room for it. The numbers are the C ABI's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum SlowConsumer {
    /// The client is closed: 1013 "Too slow".
    #[default]
    Close = 0,
    /// It does not get this one.
    DropNewest = 1,
    /// The oldest broadcasts that wait for it make room; sends to it alone stay.
    DropOldest = 2,
}

/// What becomes of a client that sends more in a second than it may. The numbers are the C ABI's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum RatePolicy {
    /// It is not read until the second is over.
    #[default]
    Pause = 0,
    /// It is closed: 1008 "Rate limit exceeded".
    Close = 1,
}

/// Names an endpoint within its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EndpointId(pub u32);

/// Names a gateway: unique in the process, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GatewayId(pub u64);

/// Names a client: unique in the process, never reused, at most 63 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub u64);

/// Names a request that waits for its response: unique in the process, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

/// What a server is to be. Every setter answers at once whether it takes the value.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) addresses: Vec<Address>,
    pub(crate) workers: u64,
    pub(crate) log_level: u64,
    pub(crate) queue_limit: u64,
    pub(crate) http: Http,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) gateways: Arc<Gateways>,
}

/// One path that upgrades, and what holds for its clients.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) pattern: Pattern,
    pub(crate) handshakes: Handshakes,
    pub(crate) gateway: Option<GatewayId>,
    pub(crate) limits: Limits,
    pub(crate) compression: Compression,
    pub(crate) close_period: Duration,
    pub(crate) outbox_bytes: u64,
    pub(crate) outbox_messages: u64,
    pub(crate) slow_consumer: SlowConsumer,
    /// [`usize::MAX`] when it is off.
    pub(crate) frame_split: usize,
    pub(crate) window: Window,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) rate: Rate,
    /// Messages come in chunks.
    pub(crate) streams: bool,
    /// Zero when it is off.
    pub(crate) stream_timeout: Duration,
}

/// How much of a client's messages the application may have in hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) bytes: u64,
    pub(crate) messages: u64,
    /// What was dealt with is told by grants; else by taking again, or by a callback's return.
    pub(crate) by_grants: bool,
}

/// When a client that says nothing is pinged, and given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heartbeat {
    /// Zero when it is off.
    pub(crate) period: Duration,
    pub(crate) limit: u64,
}

/// How much a client may send in a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// [`u64::MAX`] when there is no limit.
    pub(crate) bytes: u64,
    /// The same.
    pub(crate) frames: u64,
    pub(crate) policy: RatePolicy,
}

impl Endpoint {
    /// With every setting at its default.
    pub(crate) fn new(pattern: Pattern) -> Self {
        Self {
            pattern,
            handshakes: Handshakes::default(),
            gateway: None,
            limits: Limits {
                message: MAX_MESSAGE_SIZE.default,
                frame: MAX_FRAME_SIZE.default,
                fragments: MAX_FRAGMENTS.default,
                text_only: false,
            },
            close_period: Duration::from_millis(CLOSE_PERIOD.default),
            outbox_bytes: OUTBOX_BYTES.default,
            outbox_messages: OUTBOX_MESSAGES.default,
            compression: Compression::default(),
            slow_consumer: SlowConsumer::default(),
            frame_split: FRAME_SPLIT.default as usize,
            window: Window {
                bytes: WINDOW_BYTES.default,
                messages: WINDOW_MESSAGES.default,
                by_grants: false,
            },
            heartbeat: Heartbeat {
                period: Duration::from_millis(HEARTBEAT_PERIOD.default),
                limit: HEARTBEAT_LIMIT.default,
            },
            rate: Rate {
                bytes: RATE_BYTES.default,
                frames: RATE_FRAMES.default,
                policy: RatePolicy::default(),
            },
            streams: false,
            stream_timeout: Duration::from_millis(STREAM_TIMEOUT.default),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// A server with nothing in it and every setting at its default.
    pub fn new() -> Self {
        Self {
            addresses: Vec::new(),
            workers: WORKERS.default,
            log_level: LOG_LEVEL.default,
            queue_limit: QUEUE_LIMIT.default,
            http: Http::default(),
            endpoints: Vec::new(),
            gateways: Arc::default(),
        }
    }

    /// Adds an address to listen on: `127.0.0.1:8080`, `[::1]:8080`, where port 0 lets the system choose;
    /// `unix:PATH`; or `fd:3`, a descriptor that listens already.
    pub fn listen(&mut self, address: &str) -> Result<()> {
        self.addresses.push(Address::parse(address)?);
        Ok(())
    }

    /// Sets [`WORKERS`].
    pub fn set_workers(&mut self, workers: u64) -> Result<()> {
        self.workers = WORKERS.check(workers)?;
        Ok(())
    }

    /// Sets [`LOG_LEVEL`].
    pub fn set_log_level(&mut self, level: u64) -> Result<()> {
        self.log_level = LOG_LEVEL.check(level)?;
        Ok(())
    }

    /// Sets [`QUEUE_LIMIT`].
    pub fn set_queue_limit(&mut self, bytes: u64) -> Result<()> {
        self.queue_limit = QUEUE_LIMIT.check(bytes)?;
        Ok(())
    }

    /// Adds an endpoint: a path that upgrades, exactly (`/chat`), with parameters (`/rooms/:room`), or with
    /// all below it (`/files/*`). Of several that match, an exact path goes before parameters, those before a
    /// prefix, and a longer prefix before a shorter one.
    pub fn add_endpoint(&mut self, path: &str) -> Result<EndpointId> {
        let pattern = Pattern::parse(path)?;
        if self.endpoints.iter().any(|endpoint| endpoint.pattern.is_same(&pattern)) {
            return Err(Error::new(ErrorKind::Config, format!("endpoint {path:?} is there already")));
        }
        if self.endpoints.len() > usize::from(u16::MAX) {
            return Err(Error::new(ErrorKind::Config, "a server has at most 65536 endpoints"));
        }
        let id = EndpointId(self.endpoints.len() as u32);
        self.endpoints.push(Endpoint::new(pattern));
        Ok(id)
    }

    fn endpoint(&mut self, id: EndpointId) -> Result<&mut Endpoint> {
        let count = self.endpoints.len();
        self.endpoints
            .get_mut(id.0 as usize)
            .ok_or_else(|| Error::invalid(format!("endpoint {} is not one of the server's {count}", id.0)))
    }

    /// Makes a gateway before the server runs, for [`Config::set_gateway`].
    pub fn new_gateway(&mut self) -> Result<GatewayId> {
        self.gateways.create()
    }

    /// Gives a gateway a name before the server runs: see [`crate::Handle::set_gateway_name`].
    pub fn set_gateway_name(&mut self, gateway: GatewayId, name: &str) -> Result<()> {
        self.gateways.set_name(gateway, name)
    }

    /// The endpoint's clients join this gateway by themselves.
    pub fn set_gateway(&mut self, endpoint: EndpointId, gateway: GatewayId) -> Result<()> {
        self.gateways.check(gateway)?;
        self.endpoint(endpoint)?.gateway = Some(gateway);
        Ok(())
    }

    /// Sets [`MAX_MESSAGE_SIZE`].
    pub fn set_max_message_size(&mut self, endpoint: EndpointId, bytes: u64) -> Result<()> {
        self.endpoint(endpoint)?.limits.message = MAX_MESSAGE_SIZE.check(bytes)?;
        Ok(())
    }

    /// Sets [`MAX_FRAME_SIZE`].
    pub fn set_max_frame_size(&mut self, endpoint: EndpointId, bytes: u64) -> Result<()> {
        self.endpoint(endpoint)?.limits.frame = MAX_FRAME_SIZE.check(bytes)?;
        Ok(())
    }

    /// Sets [`MAX_FRAGMENTS`].
    pub fn set_max_fragments(&mut self, endpoint: EndpointId, count: u64) -> Result<()> {
        self.endpoint(endpoint)?.limits.fragments = MAX_FRAGMENTS.check(count)?;
        Ok(())
    }

    /// Sets [`CLOSE_PERIOD`].
    pub fn set_close_period(&mut self, endpoint: EndpointId, milliseconds: u64) -> Result<()> {
        self.endpoint(endpoint)?.close_period = Duration::from_millis(CLOSE_PERIOD.check(milliseconds)?);
        Ok(())
    }

    /// Sets [`OUTBOX_BYTES`] and [`OUTBOX_MESSAGES`].
    pub fn set_outbox_limit(&mut self, endpoint: EndpointId, bytes: u64, messages: u64) -> Result<()> {
        let (bytes, messages) = (OUTBOX_BYTES.check(bytes)?, OUTBOX_MESSAGES.check(messages)?);
        let endpoint = self.endpoint(endpoint)?;
        (endpoint.outbox_bytes, endpoint.outbox_messages) = (bytes, messages);
        Ok(())
    }

    /// Sets what becomes of a broadcast for a client whose outbox is full.
    pub fn set_slow_consumer(&mut self, endpoint: EndpointId, policy: SlowConsumer) -> Result<()> {
        self.endpoint(endpoint)?.slow_consumer = policy;
        Ok(())
    }

    /// Sets [`FRAME_SPLIT`]; 0 is off.
    pub fn set_frame_split(&mut self, endpoint: EndpointId, bytes: u64) -> Result<()> {
        let bytes = FRAME_SPLIT.check_or_off(bytes)?;
        self.endpoint(endpoint)?.frame_split = if bytes == 0 { usize::MAX } else { bytes as usize };
        Ok(())
    }

    /// Refuses binary messages, with 1003.
    pub fn set_text_only(&mut self, endpoint: EndpointId, only: bool) -> Result<()> {
        self.endpoint(endpoint)?.limits.text_only = only;
        Ok(())
    }

    /// Sets [`WINDOW_BYTES`] and [`WINDOW_MESSAGES`].
    pub fn set_receive_window(&mut self, endpoint: EndpointId, bytes: u64, messages: u64) -> Result<()> {
        let (bytes, messages) = (WINDOW_BYTES.check(bytes)?, WINDOW_MESSAGES.check(messages)?);
        let window = &mut self.endpoint(endpoint)?.window;
        (window.bytes, window.messages) = (bytes, messages);
        Ok(())
    }

    /// Whether [`crate::Handle::grant`] tells what the application has dealt with. Else a pull server's
    /// taking again does, and the return of a push server's handler.
    pub fn set_explicit_grants(&mut self, endpoint: EndpointId, explicit: bool) -> Result<()> {
        self.endpoint(endpoint)?.window.by_grants = explicit;
        Ok(())
    }

    /// Sets [`HEARTBEAT_PERIOD`], 0 is off, and [`HEARTBEAT_LIMIT`].
    pub fn set_heartbeat(&mut self, endpoint: EndpointId, milliseconds: u64, limit: u64) -> Result<()> {
        let period = Duration::from_millis(HEARTBEAT_PERIOD.check_or_off(milliseconds)?);
        let limit = HEARTBEAT_LIMIT.check(limit)?;
        self.endpoint(endpoint)?.heartbeat = Heartbeat { period, limit };
        Ok(())
    }

    /// Sets [`RATE_BYTES`] and [`RATE_FRAMES`]; 0 is off.
    pub fn set_rate_limit(&mut self, endpoint: EndpointId, bytes: u64, frames: u64) -> Result<()> {
        let (bytes, frames) = (RATE_BYTES.check_or_off(bytes)?, RATE_FRAMES.check_or_off(frames)?);
        let or_none = |limit| if limit == 0 { u64::MAX } else { limit };
        let rate = &mut self.endpoint(endpoint)?.rate;
        (rate.bytes, rate.frames) = (or_none(bytes), or_none(frames));
        Ok(())
    }

    /// Whether messages come in chunks, as they arrive, rather than whole: [`crate::Kind::Begin`],
    /// [`crate::Kind::Chunk`], [`crate::Kind::End`].
    pub fn set_streaming(&mut self, endpoint: EndpointId, streaming: bool) -> Result<()> {
        self.endpoint(endpoint)?.streams = streaming;
        Ok(())
    }

    /// Sets [`STREAM_TIMEOUT`]; 0 is off.
    pub fn set_stream_timeout(&mut self, endpoint: EndpointId, milliseconds: u64) -> Result<()> {
        let timeout = Duration::from_millis(STREAM_TIMEOUT.check_or_off(milliseconds)?);
        self.endpoint(endpoint)?.stream_timeout = timeout;
        Ok(())
    }

    /// Sets what becomes of a client over its rate limit.
    pub fn set_rate_policy(&mut self, endpoint: EndpointId, policy: RatePolicy) -> Result<()> {
        self.endpoint(endpoint)?.rate.policy = policy;
        Ok(())
    }
}

/// Whether a request's path could be this: without a query, and without what no request line may have.
fn is_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains(|c: char| c == '?' || c == '#' || c == ' ' || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_setting_the_value_and_the_bounds() {
        let mut config = Config::new();
        let endpoint = config.add_endpoint("/").unwrap();
        let error = config.set_close_period(endpoint, 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.to_string(), "close period is 0, not within 1 to 3600000 milliseconds");
    }

    #[test]
    fn zero_turns_off_what_can_be_off_and_nothing_else() {
        let mut config = Config::new();
        let endpoint = config.add_endpoint("/").unwrap();
        config.set_rate_limit(endpoint, 0, 0).unwrap();
        config.set_frame_split(endpoint, 0).unwrap();
        config.set_heartbeat(endpoint, 0, 3).unwrap();
        let error = config.set_frame_split(endpoint, 100).unwrap_err();
        assert_eq!(
            error.to_string(),
            "frame split threshold is 100, not within 128 to 1073741824 bytes, nor 0, which is off"
        );
        assert!(config.set_heartbeat(endpoint, 0, 0).is_err());
        assert!(config.set_receive_window(endpoint, 0, 1).is_err());
    }

    #[test]
    fn a_bad_address_path_or_origin_is_refused_at_once() {
        let mut config = Config::new();
        assert!(config.listen("localhost").is_err());
        assert!(config.add_endpoint("chat").is_err());
        let endpoint = config.add_endpoint("/chat").unwrap();
        assert!(config.add_endpoint("/chat").is_err());
        assert!(config.add_origin(endpoint, "example.org").is_err());
        assert_eq!(
            config.add_origin(EndpointId(9), "https://example.org").unwrap_err().kind(),
            ErrorKind::Invalid
        );
    }
}
