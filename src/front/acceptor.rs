//! Whether a request opens a WebSocket (RFC 6455 §4.2.1), and what it is told if it does not.
//!
//! Nothing but the request's head decides, so that the whole table can be tested without a socket.

use hyper::header::{self, AsHeaderName, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Version};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::config::{Handshakes, is_token};
use crate::protocol::deflate::{self, Agreement};

use super::reply::{Refusal, StaticHeaders};

const ALLOW: StaticHeaders = &[(header::ALLOW, "GET")];
const UPGRADE: StaticHeaders = &[(header::UPGRADE, "websocket")];
const CONNECTION_UPGRADE: StaticHeaders = &[(header::UPGRADE, "websocket"), (header::CONNECTION, "Upgrade")];
const VERSION: StaticHeaders =
    &[(header::SEC_WEBSOCKET_VERSION, "13"), (header::UPGRADE, "websocket"), (header::CONNECTION, "Upgrade")];

/// A request that may become a WebSocket, as far as its head tells.
#[derive(Debug)]
pub(super) struct Acceptable {
    /// The 101 without a subprotocol.
    pub(super) response: Response<()>,
    /// The subprotocols that the client offers.
    pub(super) offered: Vec<String>,
    /// The one that the endpoint's own list makes of them.
    pub(super) agreed: Option<String>,
    /// What was agreed upon of permessage-deflate; the 101 says so already.
    pub(super) compression: Option<Agreement>,
}

/// The 101 for this request, or why there is none.
///
/// The order of the checks is part of the promise: the first failure is the one that is told.
pub(super) fn check<B>(request: &Request<B>, rules: &Handshakes) -> Result<Acceptable, Refusal> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            ALLOW,
            "A WebSocket handshake is a GET request",
        ));
    }
    if request.version() < Version::HTTP_11 {
        return Err(Refusal::new(
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            UPGRADE,
            "A WebSocket handshake needs HTTP/1.1",
        ));
    }
    if only(headers, header::HOST).is_none() {
        return Err(Refusal::bad_request("A WebSocket handshake has one Host"));
    }
    if announces_body(headers) {
        return Err(Refusal::bad_request("A WebSocket handshake has no body"));
    }
    if !has_token(headers, header::UPGRADE, "websocket") {
        return Err(Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            CONNECTION_UPGRADE,
            "This is a WebSocket endpoint: \"Upgrade: websocket\" is missing",
        ));
    }
    if !has_token(headers, header::CONNECTION, "upgrade") {
        return Err(Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            CONNECTION_UPGRADE,
            "This is a WebSocket endpoint: \"Connection: Upgrade\" is missing",
        ));
    }
    let key = only(headers, header::SEC_WEBSOCKET_KEY)
        .ok_or(Refusal::bad_request("A WebSocket handshake has one Sec-WebSocket-Key"))?;
    if !is_key(key.as_bytes()) {
        return Err(Refusal::bad_request("Sec-WebSocket-Key is not 16 bytes in base64"));
    }
    if only(headers, header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version.as_bytes() != b"13") {
        return Err(Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            VERSION,
            "Sec-WebSocket-Version 13 is required",
        ));
    }
    if !is_allowed(headers, rules) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, &[], "Origin forbidden"));
    }
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .map_err(|_| Refusal::bad_request("Sec-WebSocket-Key cannot be answered"))?;
    let offered = offered(headers);
    let agreed = rules.subprotocols.iter().find(|known| offered.contains(known)).cloned();
    let mut response = switching_protocols(accept);
    let compression = compression(headers, rules, &mut response);
    Ok(Acceptable { response, offered, agreed, compression })
}

/// Agrees upon permessage-deflate (RFC 7692 §5), if the endpoint wants it and the client offers it.
fn compression(headers: &HeaderMap, rules: &Handshakes, response: &mut Response<()>) -> Option<Agreement> {
    let settings = rules.compression.as_ref()?;
    let lines = headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS).iter();
    let (agreement, answer) = deflate::agree(lines.filter_map(|line| line.to_str().ok()), settings)?;
    response.headers_mut().insert(header::SEC_WEBSOCKET_EXTENSIONS, HeaderValue::try_from(answer).ok()?);
    Some(agreement)
}

/// The response's line for the subprotocol that was agreed upon.
pub(super) fn agree(response: &mut Response<()>, subprotocol: Option<&str>) {
    if let Some(Ok(name)) = subprotocol.map(HeaderValue::try_from) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, name);
    }
}

fn switching_protocols(accept: HeaderValue) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

/// A body would be read as the first frames.
fn announces_body(headers: &HeaderMap) -> bool {
    let is_zero = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.parse() == Ok(0u64));
    headers.contains_key(header::TRANSFER_ENCODING)
        || !headers.get_all(header::CONTENT_LENGTH).iter().all(is_zero)
}

/// Whether one of the comma lists on the lines of this name holds the token; a browser sends
/// `Connection: keep-alive, Upgrade`, and a proxy may add a line of its own.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// The value of a header that comes exactly once.
fn only(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// 16 bytes are 22 digits and two pads. The four bits that the last digit has too many may be anything:
/// nobody decodes them, and some clients fill them at random.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.strip_suffix(b"==").is_some_and(|digits| digits.iter().all(is_digit))
}

/// What the client offers, in its order of preference, each once; what is no token is passed over.
fn offered(headers: &HeaderMap) -> Vec<String> {
    let mut offered: Vec<String> = Vec::new();
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|line| line.to_str().ok());
    for name in lines.flat_map(|line| line.split(',')).map(str::trim).filter(|name| is_token(name)) {
        if !offered.iter().any(|known| known == name) {
            offered.push(name.to_owned());
        }
    }
    offered
}

/// Whether the request comes from a page that may. A request without an origin comes from no browser, and passes
/// only where all are allowed.
fn is_allowed(headers: &HeaderMap, rules: &Handshakes) -> bool {
    if rules.origins.is_empty() && !rules.same_host {
        return true;
    }
    let text = |name| only(headers, name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return false };
    rules.origins.iter().any(|allowed| allowed.allows(origin))
        || (rules.same_host && text(header::HOST).is_some_and(|host| is_of_host(origin, host)))
}

/// Whether an origin's host and port are those that the request is for. A port that is the scheme's own may be
/// left out on either side.
fn is_of_host(origin: &str, host: &str) -> bool {
    let Some((scheme, of_origin)) = origin.split_once("://") else { return false };
    let port = match scheme.to_ascii_lowercase().as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let without_port = |host: &str| host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase();
    !of_origin.is_empty() && without_port(of_origin) == without_port(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// The handshake of RFC 6455 §1.3.
    fn handshake() -> Request<()> {
        Request::get("/chat")
            .header("host", "server.example.com")
            .header("upgrade", "websocket")
            .header("connection", "Upgrade")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-version", "13")
            .header("origin", "http://example.com")
            .body(())
            .unwrap()
    }

    /// That handshake with the lines of one name replaced by these.
    fn with(name: &'static str, values: &[&'static str]) -> Request<()> {
        let mut request = handshake();
        request.headers_mut().remove(name);
        for value in values {
            request.headers_mut().append(name, HeaderValue::from_static(value));
        }
        request
    }

    fn accepted(request: &Request<()>) -> Response<()> {
        check(request, &Handshakes::default()).unwrap().response
    }

    fn allowing(origins: &[&str]) -> Handshakes {
        let mut config = Config::new();
        let endpoint = config.add_endpoint("/").unwrap();
        for origin in origins {
            config.add_origin(endpoint, origin).unwrap();
        }
        config.endpoints[0].handshakes.clone()
    }

    /// The refusal's status and its headers but for the content's.
    fn refused(request: &Request<()>, origins: &[&str]) -> (u16, Vec<(String, String)>) {
        let response = check(request, &allowing(origins)).unwrap_err().response();
        assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
        let headers = response.headers().iter().filter(|(name, _)| *name != "content-type");
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_string())
        };
        (response.status().as_u16(), headers.map(text).collect())
    }

    fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    fn upgrade_required() -> (u16, Vec<(String, String)>) {
        (426, pairs(&[("upgrade", "websocket"), ("connection", "Upgrade")]))
    }

    #[test]
    fn the_rfcs_own_handshake_is_accepted_with_the_rfcs_own_answer() {
        let response = accepted(&handshake());
        assert_eq!(response.status(), 101);
        assert_eq!(response.headers()["upgrade"], "websocket");
        assert_eq!(response.headers()["connection"], "Upgrade");
        assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(response.headers().len(), 3, "no subprotocol and no extension is answered");
    }

    #[test]
    fn offers_of_subprotocols_and_extensions_are_left_unanswered() {
        let mut request = with("sec-websocket-protocol", &["chat, superchat"]);
        request
            .headers_mut()
            .insert("sec-websocket-extensions", HeaderValue::from_static("permessage-deflate"));
        assert_eq!(accepted(&request).headers().len(), 3);
    }

    #[test]
    fn another_method_gets_405_and_the_allowed_one() {
        for method in [Method::POST, Method::HEAD, Method::PUT, Method::OPTIONS, Method::CONNECT] {
            let mut request = handshake();
            *request.method_mut() = method;
            assert_eq!(refused(&request, &[]), (405, pairs(&[("allow", "GET")])));
        }
    }

    #[test]
    fn http_1_0_gets_505() {
        let mut request = handshake();
        *request.version_mut() = Version::HTTP_10;
        assert_eq!(refused(&request, &[]), (505, pairs(&[("upgrade", "websocket")])));
    }

    #[test]
    fn a_body_gets_400() {
        for (name, value) in [
            ("content-length", "1"),
            ("content-length", "x"),
            ("content-length", ""),
            ("transfer-encoding", "chunked"),
        ] {
            assert_eq!(refused(&with(name, &[value]), &[]), (400, vec![]), "{name}: {value}");
        }
        assert_eq!(refused(&with("content-length", &["0", "1"]), &[]), (400, vec![]));
    }

    #[test]
    fn no_host_and_a_second_one_get_400() {
        for values in [&[][..], &["a", "b"]] {
            assert_eq!(refused(&with("host", values), &[]), (400, vec![]), "{values:?}");
        }
    }

    #[test]
    fn an_empty_body_is_none() {
        accepted(&with("content-length", &["0"]));
    }

    #[test]
    fn without_the_upgrade_token_it_is_426() {
        for values in [&[][..], &["h2c"], &["websocket2"], &["web socket"], &[""], &["websocket; x"]] {
            assert_eq!(refused(&with("upgrade", values), &[]), upgrade_required(), "{values:?}");
        }
    }

    #[test]
    fn without_the_connection_token_it_is_426() {
        for values in [&[][..], &["keep-alive"], &["close", "keep-alive"], &["upgraded"]] {
            assert_eq!(refused(&with("connection", values), &[]), upgrade_required(), "{values:?}");
        }
    }

    #[test]
    fn tokens_are_found_in_any_case_any_list_and_any_line() {
        for values in
            [&["WebSocket"][..], &["h2c, WEBSOCKET"], &["h2c", "websocket"], &["h2c,,\twebsocket ,"]]
        {
            accepted(&with("upgrade", values));
        }
        for values in [&["keep-alive, Upgrade"][..], &["keep-alive", "upgrade"], &["UPGRADE,close"]] {
            accepted(&with("connection", values));
        }
    }

    #[test]
    fn a_missing_a_second_and_a_malformed_key_get_400() {
        const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
        for values in [
            &[][..],
            &[KEY, KEY],
            &[""],
            &["dGhlIHNhbXBsZSBub25jZQ"],
            &["dGhlIHNhbXBsZSBub25jZ==="],
            &["dGhlIHNhbXBsZSBub25jZQA="],
            &["dGhlIHNhbXBsZSBub25jZQAA"],
            &["dGhlIHNhbXBsZSBub25j=Q=="],
            &["dGhlIHNhbXBsZSBub25j-_=="],
            &["dGhlIHNhbXBsZSBub25j Q=="],
            &["dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="],
            &["c2hvcnQ="],
        ] {
            assert_eq!(refused(&with("sec-websocket-key", values), &[]), (400, vec![]), "{values:?}");
        }
    }

    #[test]
    fn a_key_of_all_kinds_of_digits_is_accepted() {
        accepted(&with("sec-websocket-key", &["+/09azAZ+/09azAZ+/09aB=="]));
    }

    #[test]
    fn another_version_gets_426_and_the_one_we_speak() {
        let expected = (
            426,
            pairs(&[("sec-websocket-version", "13"), ("upgrade", "websocket"), ("connection", "Upgrade")]),
        );
        for values in [&[][..], &["8"], &["14"], &["13, 8"], &["13", "13"], &["013"], &[""]] {
            assert_eq!(refused(&with("sec-websocket-version", values), &[]), expected, "{values:?}");
        }
    }

    #[test]
    fn an_origin_that_is_not_listed_gets_403() {
        let list = ["https://app.example.org", "http://localhost:8080"];
        for values in [
            &[][..],
            &["https://evil.example.org"],
            &["http://app.example.org"],
            &["https://app.example.org:8443"],
            &["https://app.example.org/"],
            &["https://app.example.org.evil.org"],
            &["https://app.example.org", "https://app.example.org"],
            &["null"],
            &["http://localhost"],
        ] {
            assert_eq!(refused(&with("origin", values), &list), (403, vec![]), "{values:?}");
        }
        assert_eq!(check(&handshake(), &allowing(&list)).unwrap_err().reason, "Origin forbidden");
    }

    #[test]
    fn a_listed_origin_passes_whatever_its_case() {
        let list = allowing(&["https://App.example.org", "http://localhost:8080"]);
        for value in ["https://app.example.org", "HTTPS://APP.EXAMPLE.ORG", "http://localhost:8080"] {
            assert!(check(&with("origin", &[value]), &list).is_ok(), "{value}");
        }
    }

    #[test]
    fn the_same_host_is_the_one_that_the_request_is_for() {
        let mut rules = allowing(&["https://app.example.org"]);
        rules.same_host = true;
        for (host, origin, allowed) in [
            ("example.org", "https://example.org", true),
            ("Example.org", "http://example.ORG", true),
            ("example.org:443", "https://example.org", true),
            ("example.org", "http://example.org:80", true),
            ("example.org:8080", "http://example.org:8080", true),
            ("[::1]:8080", "http://[::1]:8080", true),
            ("elsewhere.org", "https://app.example.org", true),
            ("example.org:8080", "http://example.org", false),
            ("example.org:80", "https://example.org", false),
            ("example.org", "https://www.example.org", false),
            ("example.org", "https://example.org.evil.org", false),
            ("example.org", "null", false),
            ("example.org", "https://", false),
        ] {
            let mut request = with("origin", &[origin]);
            request.headers_mut().insert("host", HeaderValue::from_static(host));
            assert_eq!(check(&request, &rules).is_ok(), allowed, "{host} {origin}");
        }
        assert!(check(&with("origin", &[]), &rules).is_err(), "an origin is needed");
    }

    #[test]
    fn the_endpoints_first_choice_of_what_is_offered_is_agreed_upon() {
        let rules =
            Handshakes { subprotocols: ["v2", "v1"].map(String::from).to_vec(), ..Handshakes::default() };
        for (lines, offered, agreed) in [
            (&["v1, v2"][..], &["v1", "v2"][..], Some("v2")),
            (&["v0", "v1,v0"], &["v0", "v1"], Some("v1")),
            (&["V1"], &["V1"], None),
            (&["v1 v2, , \"v1\",\tv3"], &["v3"], None),
            (&[], &[], None),
        ] {
            let found = check(&with("sec-websocket-protocol", lines), &rules).unwrap();
            assert_eq!(found.offered, offered, "{lines:?}");
            assert_eq!(found.agreed.as_deref(), agreed, "{lines:?}");
            let mut response = found.response;
            agree(&mut response, found.agreed.as_deref());
            let told = response.headers().get("sec-websocket-protocol").map(|name| name.to_str().unwrap());
            assert_eq!(told, agreed);
        }
    }

    #[test]
    fn without_a_list_every_origin_and_none_pass() {
        for values in [&[][..], &["https://anywhere.example"], &["null"], &["a", "b"]] {
            accepted(&with("origin", values));
        }
    }

    #[test]
    fn the_first_failed_check_is_the_one_that_is_told() {
        // Everything is wrong with this one; each turn mends what it was just told.
        let mut request = Request::post("/chat")
            .version(Version::HTTP_10)
            .header("content-length", "5")
            .header("host", "x")
            .body(())
            .unwrap();
        let list = allowing(&["http://example.com"]);
        let mut told = Vec::new();
        for _ in 0..8 {
            let Err(refusal) = check(&request, &list) else { break };
            told.push(refusal.status.as_u16());
            let next = handshake();
            match told.len() {
                1 => *request.method_mut() = Method::GET,
                2 => *request.version_mut() = Version::HTTP_11,
                3 => drop(request.headers_mut().remove("content-length")),
                n => {
                    let name =
                        ["upgrade", "connection", "sec-websocket-key", "sec-websocket-version", "origin"]
                            [n - 4];
                    request.headers_mut().insert(name, next.headers()[name].clone());
                }
            }
        }
        assert_eq!(told, [405, 505, 400, 426, 426, 400, 426, 403]);
        assert!(check(&request, &list).is_ok());
    }
}
