//! Every setting: its name, default, bounds and unit, in one table; and what a server is made of.

mod http;
mod pattern;

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::gateway::Gateways;
use crate::protocol::Limits;

pub use http::{ERROR_PAGE_TIMEOUT, HANDSHAKE_TIMEOUT, MAX_BODY_SIZE, REQUEST_TIMEOUT};
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
pub const OUTBOX_MESSAGES: Setting = setting("outbox limit", 10_000, 1, 32_767, "messages");
/// The longest message that may be sent.
pub const MAX_SEND_SIZE: Setting = setting("message size", 0, 0, GIB, "bytes");

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
    pub(crate) addresses: Vec<String>,
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
    pub(crate) close_period: Duration,
    pub(crate) outbox_bytes: u64,
    pub(crate) outbox_messages: u64,
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

    /// Adds an address to listen on: `127.0.0.1:8080`, `[::1]:8080`; port 0 lets the system choose.
    pub fn listen(&mut self, address: &str) -> Result<()> {
        let parsed: std::net::SocketAddr = address.parse().map_err(|_| {
            Error::new(
                ErrorKind::Config,
                format!("address {address:?} is not of the form 127.0.0.1:8080 or [::1]:8080"),
            )
        })?;
        self.addresses.push(parsed.to_string());
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
        let id = EndpointId(self.endpoints.len() as u32);
        self.endpoints.push(Endpoint {
            pattern,
            handshakes: Handshakes::default(),
            gateway: None,
            limits: Limits {
                message: MAX_MESSAGE_SIZE.default,
                frame: MAX_FRAME_SIZE.default,
                fragments: MAX_FRAGMENTS.default,
            },
            close_period: Duration::from_millis(CLOSE_PERIOD.default),
            outbox_bytes: OUTBOX_BYTES.default,
            outbox_messages: OUTBOX_MESSAGES.default,
        });
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
