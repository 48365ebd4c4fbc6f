//! What holds before a connection is a client: who may upgrade and how, and plain requests.

use std::path::PathBuf;
use std::time::Duration;

use super::{Config, EndpointId, Setting, setting};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::deflate::Settings;

/// How long the application may take over a handshake.
pub const HANDSHAKE_TIMEOUT: Setting = setting("handshake timeout", 10_000, 1, 3_600_000, "milliseconds");
/// How long the application may take over a request.
pub const REQUEST_TIMEOUT: Setting = setting("request timeout", 30_000, 1, 3_600_000, "milliseconds");
/// How long the application may take to shape a refusal; 0 does not ask it.
pub const ERROR_PAGE_TIMEOUT: Setting = setting("error page timeout", 0, 0, 60_000, "milliseconds");
/// Connections at once, clients among them; 0 is no limit.
pub const MAX_CONNECTIONS: Setting = setting("max connections", 1000, 0, 1 << 24, "connections");
/// Connections at once from one address, or one /56 network of IPv6; 0 is no limit.
pub const MAX_CONNECTIONS_PER_ADDRESS: Setting =
    setting("max connections per address", 10, 0, 1 << 24, "connections");
/// Handshakes and requests that wait for the application.
pub const MAX_REQUESTS: Setting = setting("max requests", 1000, 1, 1 << 20, "requests");
/// The longest head of a request.
pub const MAX_HEADER_SIZE: Setting = setting("max header size", 32 << 10, 256, 1 << 20, "bytes");
/// How long a request's head may take.
pub const HEADER_TIMEOUT: Setting = setting("header timeout", 15_000, 1, 3_600_000, "milliseconds");
/// How long a request's body may take.
pub const BODY_TIMEOUT: Setting = setting("body timeout", 30_000, 1, 3_600_000, "milliseconds");
/// How long a connection may ask nothing between two requests.
pub const IDLE_TIMEOUT: Setting = setting("idle timeout", 60_000, 1, 3_600_000, "milliseconds");
/// How long a peer may take nothing of a response.
pub const WRITE_TIMEOUT: Setting = setting("write timeout", 30_000, 1, 3_600_000, "milliseconds");
/// How long files may be cached.
pub const CACHE_TIME: Setting = setting("cache time", 0, 0, 31_536_000, "seconds");
/// The permissions of a Unix socket's file.
pub const UNIX_MODE: Setting = setting("unix mode", 0o660, 0, 0o777, "(permission bits)");
/// The longest body of a request.
pub const MAX_BODY_SIZE: Setting = setting("max body size", 128 << 10, 0, 1 << 30, "bytes");

/// Which handshakes an endpoint takes, and who decides.
#[derive(Clone, Debug)]
pub(crate) struct Handshakes {
    /// Allowed origins; without any, and without `same_host`, all are.
    pub(crate) origins: Vec<Origin>,
    /// An origin whose host and port are those of `Host` is allowed.
    pub(crate) same_host: bool,
    /// In the order of preference.
    pub(crate) subprotocols: Vec<String>,
    /// What may be agreed upon of permessage-deflate; `None` when compression is off.
    pub(crate) compression: Option<Settings>,
    /// The application decides.
    pub(crate) deferred: bool,
    pub(crate) timeout: Duration,
}

impl Default for Handshakes {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            same_host: false,
            subprotocols: Vec::new(),
            compression: None,
            deferred: false,
            timeout: Duration::from_millis(HANDSHAKE_TIMEOUT.default),
        }
    }
}

/// An origin, or with `*.` in front of its host all origins below that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// In lower case, as an origin has no part that minds the case (RFC 6454 §6.2). Only a pattern may
    /// do without.
    scheme: Option<String>,
    /// With the port, if it is not the scheme's own.
    host: String,
    below: bool,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (scheme, host) = match text.split_once("://") {
            Some((scheme, host)) => (Some(scheme.to_owned()), host),
            None => (None, text.as_str()),
        };
        let (below, host) = host.strip_prefix("*.").map_or((false, host), |host| (true, host));
        let is_plain =
            |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        let good = is_plain(host)
            && !host.contains(['/', '?', '#', '@', '*'])
            && scheme.as_deref().map_or(below, is_plain);
        good.then(|| Self { scheme, host: host.to_owned(), below })
    }

    /// Whether a request's `Origin` is this one, or one of these.
    pub(crate) fn allows(&self, origin: &str) -> bool {
        let Some((scheme, host)) = origin.split_once("://") else { return false };
        let host = host.as_bytes();
        let good_host = match self.below {
            false => host.eq_ignore_ascii_case(self.host.as_bytes()),
            true => {
                host.len().checked_sub(self.host.len()).and_then(|at| host.split_at_checked(at)).is_some_and(
                    |(name, rest)| {
                        name.len() > 1
                            && name.last() == Some(&b'.')
                            && rest.eq_ignore_ascii_case(self.host.as_bytes())
                    },
                )
            }
        };
        good_host && self.scheme.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(scheme))
    }
}

/// Plain requests.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    /// Directories of files, each below a path that begins and ends with a slash.
    pub(crate) directories: Vec<(String, PathBuf)>,
    /// The application answers what neither an endpoint nor a file does.
    pub(crate) requests: bool,
    pub(crate) request_timeout: Duration,
    /// Zero does not ask.
    pub(crate) error_page_timeout: Duration,
    pub(crate) max_body_size: u64,
    pub(crate) max_connections: u64,
    pub(crate) max_connections_per_address: u64,
    pub(crate) max_requests: u64,
    pub(crate) max_header_size: u64,
    pub(crate) header_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) write_timeout: Duration,
    /// In seconds; 0 says nothing of it.
    pub(crate) cache_time: u64,
    pub(crate) unix_mode: u32,
    /// Others get 405.
    pub(crate) methods: Vec<String>,
}

/// What a request may ask to be done, unless it is set otherwise.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Default for Http {
    fn default() -> Self {
        Self {
            directories: Vec::new(),
            requests: false,
            request_timeout: Duration::from_millis(REQUEST_TIMEOUT.default),
            error_page_timeout: Duration::from_millis(ERROR_PAGE_TIMEOUT.default),
            max_body_size: MAX_BODY_SIZE.default,
            max_connections: MAX_CONNECTIONS.default,
            max_connections_per_address: MAX_CONNECTIONS_PER_ADDRESS.default,
            max_requests: MAX_REQUESTS.default,
            max_header_size: MAX_HEADER_SIZE.default,
            header_timeout: Duration::from_millis(HEADER_TIMEOUT.default),
            body_timeout: Duration::from_millis(BODY_TIMEOUT.default),
            idle_timeout: Duration::from_millis(IDLE_TIMEOUT.default),
            write_timeout: Duration::from_millis(WRITE_TIMEOUT.default),
            cache_time: CACHE_TIME.default,
            unix_mode: UNIX_MODE.default as u32,
            methods: METHODS.map(str::to_owned).to_vec(),
        }
    }
}

impl Config {
    /// Serves the files of a directory to requests that no endpoint takes.
    pub fn set_directory(&mut self, path: impl Into<PathBuf>) -> Result<()> {
        self.http.directories.retain(|(prefix, _)| prefix != "/");
        self.add_directory("/", path)
    }

    /// Serves the files of a directory below a path: with `/assets`, its `app.js` is `/assets/app.js`.
    pub fn add_directory(&mut self, prefix: &str, path: impl Into<PathBuf>) -> Result<()> {
        let path = path.into();
        if !path.is_dir() {
            return Err(Error::new(ErrorKind::Config, format!("directory {path:?} is not a directory")));
        }
        if !super::is_path(prefix) {
            return Err(Error::new(
                ErrorKind::Config,
                format!("directory path {prefix:?} is not a path that begins with /"),
            ));
        }
        let prefix = format!("{}/", prefix.trim_end_matches('/'));
        if self.http.directories.iter().any(|(other, _)| *other == prefix) {
            return Err(Error::new(ErrorKind::Config, format!("directory path {prefix:?} is there already")));
        }
        self.http.directories.push((prefix, path));
        Ok(())
    }

    /// Allows an `Origin`, as `https://example.org`, or all below a host, as `https://*.example.org` or, with
    /// any scheme, `*.example.org`. While none is added, all are allowed.
    pub fn add_origin(&mut self, endpoint: EndpointId, origin: &str) -> Result<()> {
        let parsed = Origin::parse(origin).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("origin {origin:?} is not of the form https://example.org or *.example.org"),
            )
        })?;
        self.endpoint(endpoint)?.handshakes.origins.push(parsed);
        Ok(())
    }

    /// Allows an `Origin` whose host and port are those that the request is for.
    pub fn set_same_host(&mut self, endpoint: EndpointId, on: bool) -> Result<()> {
        self.endpoint(endpoint)?.handshakes.same_host = on;
        Ok(())
    }

    /// Adds a subprotocol (RFC 6455 §1.9) that the endpoint speaks. Of those that a client offers, the one that
    /// was added first is agreed upon.
    pub fn add_subprotocol(&mut self, endpoint: EndpointId, name: &str) -> Result<()> {
        if !is_token(name) {
            return Err(Error::new(ErrorKind::Config, format!("subprotocol {name:?} is not a token")));
        }
        let subprotocols = &mut self.endpoint(endpoint)?.handshakes.subprotocols;
        if !subprotocols.iter().any(|known| known == name) {
            subprotocols.push(name.to_owned());
        }
        Ok(())
    }

    /// Whether the application decides on the endpoint's handshakes: HANDSHAKE is raised for each that passed
    /// all checks, and waits for `accept` or `reject`.
    pub fn set_acceptor(&mut self, endpoint: EndpointId, on: bool) -> Result<()> {
        self.endpoint(endpoint)?.handshakes.deferred = on;
        Ok(())
    }

    /// Sets [`HANDSHAKE_TIMEOUT`].
    pub fn set_handshake_timeout(&mut self, endpoint: EndpointId, milliseconds: u64) -> Result<()> {
        let timeout = Duration::from_millis(HANDSHAKE_TIMEOUT.check(milliseconds)?);
        self.endpoint(endpoint)?.handshakes.timeout = timeout;
        Ok(())
    }

    /// Whether the application answers requests that neither an endpoint nor a file does: REQUEST is raised for
    /// each, and waits for `respond`.
    pub fn set_requests(&mut self, on: bool) {
        self.http.requests = on;
    }

    /// Sets [`REQUEST_TIMEOUT`].
    pub fn set_request_timeout(&mut self, milliseconds: u64) -> Result<()> {
        self.http.request_timeout = Duration::from_millis(REQUEST_TIMEOUT.check(milliseconds)?);
        Ok(())
    }

    /// Sets [`ERROR_PAGE_TIMEOUT`].
    pub fn set_error_pages(&mut self, milliseconds: u64) -> Result<()> {
        self.http.error_page_timeout = Duration::from_millis(ERROR_PAGE_TIMEOUT.check(milliseconds)?);
        Ok(())
    }

    /// Sets [`MAX_CONNECTIONS`].
    pub fn set_max_connections(&mut self, count: u64) -> Result<()> {
        self.http.max_connections = MAX_CONNECTIONS.check(count)?;
        Ok(())
    }

    /// Sets [`MAX_CONNECTIONS_PER_ADDRESS`].
    pub fn set_max_connections_per_address(&mut self, count: u64) -> Result<()> {
        self.http.max_connections_per_address = MAX_CONNECTIONS_PER_ADDRESS.check(count)?;
        Ok(())
    }

    /// Sets [`MAX_REQUESTS`].
    pub fn set_max_requests(&mut self, count: u64) -> Result<()> {
        self.http.max_requests = MAX_REQUESTS.check(count)?;
        Ok(())
    }

    /// Sets [`MAX_HEADER_SIZE`].
    pub fn set_max_header_size(&mut self, bytes: u64) -> Result<()> {
        self.http.max_header_size = MAX_HEADER_SIZE.check(bytes)?;
        Ok(())
    }

    /// Sets [`HEADER_TIMEOUT`].
    pub fn set_header_timeout(&mut self, milliseconds: u64) -> Result<()> {
        self.http.header_timeout = Duration::from_millis(HEADER_TIMEOUT.check(milliseconds)?);
        Ok(())
    }

    /// Sets [`BODY_TIMEOUT`].
    pub fn set_body_timeout(&mut self, milliseconds: u64) -> Result<()> {
        self.http.body_timeout = Duration::from_millis(BODY_TIMEOUT.check(milliseconds)?);
        Ok(())
    }

    /// Sets [`IDLE_TIMEOUT`].
    pub fn set_idle_timeout(&mut self, milliseconds: u64) -> Result<()> {
        self.http.idle_timeout = Duration::from_millis(IDLE_TIMEOUT.check(milliseconds)?);
        Ok(())
    }

    /// Sets [`WRITE_TIMEOUT`].
    pub fn set_write_timeout(&mut self, milliseconds: u64) -> Result<()> {
        self.http.write_timeout = Duration::from_millis(WRITE_TIMEOUT.check(milliseconds)?);
        Ok(())
    }

    /// Sets [`CACHE_TIME`].
    pub fn set_cache_time(&mut self, seconds: u64) -> Result<()> {
        self.http.cache_time = CACHE_TIME.check(seconds)?;
        Ok(())
    }

    /// Sets [`UNIX_MODE`].
    pub fn set_unix_mode(&mut self, mode: u64) -> Result<()> {
        self.http.unix_mode = UNIX_MODE.check(mode)? as u32;
        Ok(())
    }

    /// Sets which methods requests may have, separated by commas: `GET, HEAD, POST`. Endpoints take GET alone.
    pub fn set_methods(&mut self, methods: &str) -> Result<()> {
        let methods: Vec<String> = methods.split(',').map(|method| method.trim().to_owned()).collect();
        if let Some(wrong) = methods.iter().find(|method| !is_token(method)) {
            return Err(Error::new(ErrorKind::Config, format!("method {wrong:?} is not a token")));
        }
        self.http.methods = methods;
        Ok(())
    }

    /// Sets [`MAX_BODY_SIZE`].
    pub fn set_max_body_size(&mut self, bytes: u64) -> Result<()> {
        self.http.max_body_size = MAX_BODY_SIZE.check(bytes)?;
        Ok(())
    }
}

/// RFC 9110 §5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_good)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, origin: &str) -> bool {
        Origin::parse(pattern).unwrap().allows(origin)
    }

    #[test]
    fn a_pattern_allows_what_is_below_its_host_and_nothing_beside_it() {
        for (pattern, origin, allowed) in [
            ("https://example.org", "https://example.org", true),
            ("https://example.org", "HTTPS://EXAMPLE.ORG", true),
            ("https://example.org", "https://www.example.org", false),
            ("https://*.example.org", "https://www.example.org", true),
            ("https://*.Example.org", "https://a.b.example.ORG", true),
            ("https://*.example.org", "http://www.example.org", false),
            ("https://*.example.org", "https://example.org", false),
            ("https://*.example.org", "https://.example.org", false),
            ("https://*.example.org", "https://evilexample.org", false),
            ("https://*.example.org", "https://www.example.org.evil.org", false),
            ("https://*.example.org", "https://www.example.org:8443", false),
            ("https://*.example.org:8443", "https://www.example.org:8443", true),
            ("*.example.org", "http://www.example.org", true),
            ("*.example.org", "https://www.example.org", true),
            ("*.example.org", "www.example.org", false),
            ("*.example.org", "null", false),
        ] {
            assert_eq!(allows(pattern, origin), allowed, "{pattern} {origin}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host_and_nothing_more() {
        let mut config = Config::new();
        let endpoint = config.add_endpoint("/chat").unwrap();
        for origin in [
            "https://example.org/",
            "https://example.org/app",
            "https://",
            "https://u@example.org",
            "://",
            "example.org",
            "*.",
            "https://*",
            "https://a.*.org",
            "",
        ] {
            assert!(config.add_origin(endpoint, origin).is_err(), "{origin}");
        }
    }

    #[test]
    fn a_subprotocol_is_a_token_and_kept_once() {
        let mut config = Config::new();
        let endpoint = config.add_endpoint("/").unwrap();
        for name in ["", "a b", "a,b", "caf\u{e9}", "a\r\nb"] {
            assert!(config.add_subprotocol(endpoint, name).is_err(), "{name:?}");
        }
        for name in ["soap", "wamp", "soap"] {
            config.add_subprotocol(endpoint, name).unwrap();
        }
        assert_eq!(config.endpoints[0].handshakes.subprotocols, ["soap", "wamp"]);
    }
}
