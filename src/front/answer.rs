//! What the application answers, checked before it is taken.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Result};

/// A header of an answer: its name and its value.
pub type Field<'a> = (&'a [u8], &'a [u8]);

/// A response of the application's.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// `statuses` is what the status may be.
    pub(crate) fn new(
        status: u32,
        statuses: std::ops::RangeInclusive<u32>,
        headers: &[Field<'_>],
        body: &[u8],
    ) -> Result<Self> {
        let good = u16::try_from(status).ok().filter(|_| statuses.contains(&status));
        let status = good.and_then(|status| StatusCode::from_u16(status).ok()).ok_or_else(|| {
            Error::invalid(format!(
                "status is {status}, not within {} to {}",
                statuses.start(),
                statuses.end()
            ))
        })?;
        let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if bodiless && !body.is_empty() {
            return Err(Error::invalid(format!("a response of status {status} has no body")));
        }
        let is_upgrade = status == StatusCode::UPGRADE_REQUIRED;
        let is_ours =
            |name: &HeaderName| is_of_the_connection(name) && !(is_upgrade && name == header::UPGRADE);
        let mut headers = fields(headers, is_ours)?;
        if is_upgrade {
            // RFC 9110 §15.5.22: such a response names the protocols, and §7.8: Upgrade is of the connection.
            headers.entry(header::UPGRADE).or_insert(HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        }
        Ok(Self { status, headers, body: Bytes::copy_from_slice(body) })
    }
}

/// The headers of an answer to a handshake.
pub(crate) fn handshake_fields(headers: &[Field<'_>]) -> Result<HeaderMap> {
    fields(headers, |name| {
        is_of_the_connection(name)
            || name.as_str().starts_with("sec-websocket-")
            || name == header::CONTENT_TYPE
    })
}

/// Those that say where a message ends and what becomes of the connection: two opinions on that are how
/// requests are smuggled.
fn is_of_the_connection(name: &HeaderName) -> bool {
    [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::TE,
        header::TRAILER,
    ]
    .contains(name)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

fn fields(headers: &[Field<'_>], is_ours: impl Fn(&HeaderName) -> bool) -> Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let shown = String::from_utf8_lossy(name);
        let parsed = HeaderName::from_bytes(name)
            .map_err(|_| Error::invalid(format!("header name {shown:?} is not a token")))?;
        let value = HeaderValue::from_bytes(value).map_err(|_| {
            Error::invalid(format!("the value of header {shown:?} has a control character in it"))
        })?;
        if is_ours(&parsed) {
            return Err(Error::invalid(format!("header {shown:?} is set by the server alone")));
        }
        map.try_append(parsed, value)
            .map_err(|_| Error::invalid(format!("{} headers are too many", headers.len())))?;
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(headers: &[Field<'_>]) -> String {
        Answer::new(200, 200..=599, headers, b"").unwrap_err().to_string()
    }

    #[test]
    fn no_answer_can_break_out_of_its_header() {
        for value in [&b"a\r\nSet-Cookie: b"[..], b"a\nb", b"a\rb", b"a\0b", b"\x7f"] {
            assert!(refused(&[(b"Location", value)]).contains("control character"));
        }
        for name in [&b"a b"[..], b"", b"a:b", b"a\r\nb", b"\xff"] {
            assert!(refused(&[(name, b"x")]).contains("not a token"));
        }
    }

    #[test]
    fn what_frames_the_message_is_the_servers() {
        for name in ["Connection", "content-length", "Transfer-Encoding", "Upgrade", "Keep-Alive"] {
            assert!(refused(&[(name.as_bytes(), b"x")]).contains("set by the server"), "{name}");
        }
        for name in ["Sec-WebSocket-Accept", "sec-websocket-protocol", "Connection"] {
            assert!(handshake_fields(&[(name.as_bytes(), b"x")]).is_err(), "{name}");
        }
        let cookies = handshake_fields(&[(b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2")]).unwrap();
        assert_eq!(cookies.get_all("set-cookie").iter().count(), 2);
    }

    #[test]
    fn upgrade_required_names_a_protocol() {
        for (headers, upgrade) in [(&[][..], "websocket"), (&[(&b"Upgrade"[..], &b"h2c"[..])], "h2c")] {
            let answer = Answer::new(426, 300..=599, headers, b"").unwrap();
            assert_eq!(
                (&answer.headers["upgrade"], &answer.headers["connection"]),
                (&HeaderValue::from_static(upgrade), &HeaderValue::from_static("Upgrade"))
            );
        }
        assert!(Answer::new(426, 300..=599, &[(b"Connection", b"x")], b"").is_err());
    }

    #[test]
    fn a_status_lies_within_its_bounds_and_204_has_no_body() {
        for status in [0, 100, 101, 199, 600, 70_000] {
            assert!(Answer::new(status, 200..=599, &[], b"").is_err(), "{status}");
        }
        assert!(Answer::new(204, 200..=599, &[], b"x").is_err());
        assert!(Answer::new(304, 200..=599, &[], b"x").is_err());
        assert!(Answer::new(204, 200..=599, &[], b"").is_ok());
    }
}
