//! The bytes of a request's head, judged before hyper reads them.
//!
//! hyper forgives what a front door must not: two parties that disagree on where a request ends, or for whom it
//! is, can be played against each other (RFC 9112 §11.2). What passes here has one meaning.

use std::ops::ControlFlow;

use hyper::{StatusCode, Uri};

use super::reply::Refusal;

/// How the bytes behind the head belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// A body of so many bytes.
    Length(u64),
    /// Chunks, which only hyper can tell the end of.
    Chunked,
}

/// A head that may be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sound {
    pub(super) framing: Framing,
    /// It asks for another protocol: what follows it may not be HTTP.
    pub(super) upgrades: bool,
}

/// A head with more lines than hyper reads is too large.
const LINES: usize = 100;

/// Looks for the end of a head as its bytes arrive.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// So many bytes were looked at.
    seen: usize,
}

impl Scanner {
    /// Where the head ends that these bytes begin with: `Break(Ok)`. `Continue` when more must come, of no more
    /// than `limit` in all. What can't become a head is refused at once.
    pub(super) fn scan(&mut self, bytes: &[u8], limit: usize) -> ControlFlow<Result<usize, Refusal>> {
        if bytes.first().is_some_and(|first| !first.is_ascii_alphanumeric() && !is_token_mark(*first)) {
            return ControlFlow::Break(Err(MALFORMED));
        }
        let unseen = bytes.iter().enumerate().skip(self.seen);
        for (at, byte) in unseen {
            let before = |count: usize| at.checked_sub(count).and_then(|at| bytes.get(at));
            match byte {
                b'\n' if before(1) != Some(&b'\r') => return ControlFlow::Break(Err(BARE)),
                b'\n' if before(2) == Some(&b'\n') => {
                    let length = at + 1;
                    return ControlFlow::Break(if length > limit { Err(TOO_LARGE) } else { Ok(length) });
                }
                b'\n' => {}
                _ if before(1) == Some(&b'\r') => return ControlFlow::Break(Err(BARE)),
                0 => return ControlFlow::Break(Err(MALFORMED)),
                _ => {}
            }
        }
        self.seen = bytes.len();
        if bytes.len() > limit { ControlFlow::Break(Err(TOO_LARGE)) } else { ControlFlow::Continue(()) }
    }
}

fn is_token_mark(byte: u8) -> bool {
    b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Judges a whole head.
pub(super) fn check(head: &[u8]) -> Result<Sound, Refusal> {
    let mut lines = [httparse::EMPTY_HEADER; LINES];
    let mut request = httparse::Request::new(&mut lines);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(TOO_LARGE),
        Err(httparse::Error::Version) => return Err(VERSION),
        _ => return Err(MALFORMED),
    }
    let is_1_1 = request.version == Some(1);
    let values = |name: &str| {
        let named = request.headers.iter().filter(|line| line.name.eq_ignore_ascii_case(name));
        named.map(|line| line.value.trim_ascii()).collect::<Vec<_>>()
    };
    let host = match values("host")[..] {
        [host] if is_host(host) => Some(host),
        [] if !is_1_1 => None,
        [] => return Err(Refusal::bad_request("A request has a Host")),
        [_] => return Err(Refusal::bad_request("The Host is not a host and a port")),
        _ => return Err(Refusal::bad_request("A request has one Host")),
    };
    check_target(request.method.unwrap_or_default(), request.path.unwrap_or_default(), host)?;
    let framing = match (&values("content-length")[..], &values("transfer-encoding")[..]) {
        ([], []) => Framing::Length(0),
        ([length], []) => Framing::Length(content_length(length).ok_or(LENGTH)?),
        ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") && is_1_1 => Framing::Chunked,
        ([], [_]) if is_1_1 => return Err(CODING),
        ([_, _, ..], []) => return Err(LENGTH),
        _ => return Err(Refusal::bad_request("The length of the body is told in two ways")),
    };
    Ok(Sound { framing, upgrades: !values("upgrade").is_empty() })
}

/// A path, or a whole address whose host is that of the Host line; of OPTIONS also `*`, of CONNECT a host.
fn check_target(method: &str, target: &str, host: Option<&[u8]>) -> Result<(), Refusal> {
    const TARGET: Refusal = Refusal::bad_request("The target is not a path");
    let parsed: Uri = target.parse().map_err(|_| TARGET)?;
    if target.contains('#') {
        return Err(TARGET);
    }
    match (parsed.scheme_str(), parsed.authority()) {
        (None, None) if target.starts_with('/') || (target == "*" && method == "OPTIONS") => Ok(()),
        (None, Some(_)) if method == "CONNECT" => Ok(()),
        (Some("http" | "https"), Some(authority)) => {
            match host.is_none_or(|host| host.eq_ignore_ascii_case(authority.as_str().as_bytes())) {
                true => Ok(()),
                false => Err(Refusal::bad_request("The target has another host than Host")),
            }
        }
        _ => Err(TARGET),
    }
}

/// Digits and nothing else: `+5`, `5, 5` and an empty one have been read in two ways before.
fn content_length(value: &[u8]) -> Option<u64> {
    let text =
        std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse().ok()
}

fn is_host(host: &[u8]) -> bool {
    host.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=:[]".contains(byte))
}

pub(super) const MALFORMED: Refusal = Refusal::bad_request("The request is malformed");
const BARE: Refusal = Refusal::bad_request("A line of the request does not end in CR LF");
const LENGTH: Refusal = Refusal::bad_request("Content-Length is not one number");
const CODING: Refusal = Refusal::new(StatusCode::NOT_IMPLEMENTED, &[], "The only transfer coding is chunked");
const VERSION: Refusal =
    Refusal::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, &[], "The version is not HTTP/1.1 or HTTP/1.0");
pub(super) const TOO_LARGE: Refusal =
    Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &[], "The request's head is too large");
pub(super) const TIMEOUT: Refusal =
    Refusal::new(StatusCode::REQUEST_TIMEOUT, &[], "The request's head did not come in time");

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(head: &str) -> Result<Sound, u16> {
        let mut scanner = Scanner::default();
        match scanner.scan(head.as_bytes(), 1000) {
            ControlFlow::Break(Ok(length)) => check(&head.as_bytes()[..length]),
            ControlFlow::Break(Err(refusal)) => Err(refusal),
            ControlFlow::Continue(()) => panic!("{head:?} goes on"),
        }
        .map_err(|refusal| refusal.status.as_u16())
    }

    fn with(lines: &str) -> Result<Sound, u16> {
        judged(&format!("GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n"))
    }

    fn at(target: &str) -> Result<Sound, u16> {
        judged(&format!("GET {target} HTTP/1.1\r\nHost: Example.org\r\n\r\n"))
    }

    #[test]
    fn the_end_is_found_however_the_bytes_come() {
        let head = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let bytes = [&head[..], b"\n\rmore\0"].concat();
        for step in 1..=head.len() {
            let mut scanner = Scanner::default();
            let mut found = None;
            for length in (step..bytes.len()).step_by(step).chain([bytes.len()]) {
                if let ControlFlow::Break(end) = scanner.scan(&bytes[..length], 1000) {
                    found = Some(end.unwrap());
                    break;
                }
            }
            assert_eq!(found, Some(head.len()), "in steps of {step}");
        }
    }

    #[test]
    fn what_cannot_become_a_head_is_refused_before_its_end() {
        for bytes in [
            &b"\x16\x03\x01"[..],
            b"\x81\x85abcd",
            b"GET / HTTP/1.1\n",
            b"GET / HTTP/1.1\r\nA: b\n",
            b"GET / HTTP/1.1\rX",
            b"GET /\0",
            b"\n",
        ] {
            let refused = Scanner::default().scan(bytes, 1000);
            assert!(matches!(refused, ControlFlow::Break(Err(r)) if r.status == 400), "{bytes:?}");
        }
        assert_eq!(judged(&format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1000))), Err(431));
        let endless = Scanner::default().scan(&[b'x'; 1001], 1000);
        assert!(matches!(endless, ControlFlow::Break(Err(refusal)) if refusal.status == 431));
        assert_eq!(with(&"A: b\r\n".repeat(100)), Err(431));
    }

    #[test]
    fn a_body_has_one_length() {
        let length = |length| Ok(Sound { framing: Framing::Length(length), upgrades: false });
        for (lines, judgement) in [
            ("", length(0)),
            ("Content-Length: 5\r\n", length(5)),
            ("Content-Length:\t05 \r\n", length(5)),
            ("Transfer-Encoding: Chunked\r\n", Ok(Sound { framing: Framing::Chunked, upgrades: false })),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", Err(400)),
            ("Content-Length: 5\r\ncontent-length: 6\r\n", Err(400)),
            ("Content-Length: 5, 5\r\n", Err(400)),
            ("Content-Length: +5\r\n", Err(400)),
            ("Content-Length: -1\r\n", Err(400)),
            ("Content-Length: 0x5\r\n", Err(400)),
            ("Content-Length: 99999999999999999999\r\n", Err(400)),
            ("Content-Length:\r\n", Err(400)),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Err(400)),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Err(400)),
            ("Transfer-Encoding: gzip, chunked\r\n", Err(501)),
            ("Transfer-Encoding: chunked, identity\r\n", Err(501)),
            ("Transfer-Encoding: \u{b}chunked\r\n", Err(400)),
            ("Transfer-Encoding : chunked\r\n", Err(400)),
            (" folded: line\r\n", Err(400)),
            ("X: a\r\n folded\r\n", Err(400)),
            ("no colon\r\n", Err(400)),
        ] {
            assert_eq!(with(lines), judgement, "{lines:?}");
        }
        assert_eq!(judged("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), Err(400));
        assert!(with("Upgrade: websocket\r\n").unwrap().upgrades);
    }

    #[test]
    fn a_request_is_for_one_host() {
        for (head, judgement) in [
            ("GET / HTTP/1.1\r\n\r\n", Err(400)),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Err(400)),
            ("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", Err(400)),
            ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", Err(400)),
            ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Err(400)),
            ("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", Ok(())),
            ("GET / HTTP/1.1\r\nHost:\r\n\r\n", Ok(())),
            ("GET / HTTP/1.0\r\n\r\n", Ok(())),
            ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", Err(400)),
            ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", Err(505)),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", Err(505)),
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Err(400)),
            ("GET /\r\n\r\n", Err(400)),
        ] {
            assert_eq!(judged(head).map(|_| ()), judgement, "{head:?}");
        }
    }

    #[test]
    fn a_target_is_a_path_or_this_hosts_address() {
        for target in
            ["/", "/a?b=%20&c", "//a", "/a://b", "http://example.org/a", "https://EXAMPLE.org", "/a:b"]
        {
            assert!(at(target).is_ok(), "{target}");
        }
        for target in [
            "a",
            "?a",
            "*",
            "example.org:80",
            "http://other.org/",
            "http://u@example.org/",
            "ftp://example.org/",
            "http:///a",
            "/a#b",
            "/a\"<>",
        ] {
            assert_eq!(at(target), Err(400), "{target}");
        }
        assert!(judged("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").is_ok());
        assert!(judged("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n").is_ok());
    }
}
