//! gzip for responses whose peer takes it (RFC 9110 §8.4, §12.5.3).

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Body as _;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};

use super::reply::Body;

/// Less than this gains nothing: it is one packet anyhow.
const LEAST: u64 = 860;
/// More than this is sent as it is: it would take the memory and the time of many.
const MOST: u64 = 4 << 20;
/// Less than this is compressed at once: handing it to another thread would take longer.
const AT_ONCE: usize = 16 << 10;

/// Compresses a response's body if its kind and its size are worth it, and the peer takes it. That it depends on
/// that is told to caches (`Vary`) either way. Of a HEAD request, too: its head is to be that of a GET.
pub(super) async fn response(asked: &HeaderMap, mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers();
    // A file's body does not know its size, but its head does.
    let told = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let size = told.or(response.body().size_hint().exact()).unwrap_or(u64::MAX);
    if response.status() == StatusCode::PARTIAL_CONTENT
        || headers.contains_key(header::CONTENT_ENCODING)
        || !headers.get(header::CONTENT_TYPE).is_some_and(is_text)
        || !(LEAST..=MOST).contains(&size)
    {
        return response;
    }
    varies(response.headers_mut());
    if !takes(asked, "gzip") {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let plain = match body.collect().await {
        Ok(plain) => plain.to_bytes(),
        // Its length was told, and can't be kept: the connection breaks off, as it does while streaming.
        Err(_) => return broken(head),
    };
    let packed = if plain.len() < AT_ONCE {
        gzip(&plain)
    } else {
        let again = plain.clone();
        tokio::task::spawn_blocking(move || gzip(&again)).await.ok().flatten()
    };
    let body = match packed {
        Some(packed) if packed.len() < plain.len() => {
            head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            head.headers.remove(header::CONTENT_LENGTH);
            head.headers.remove(header::ACCEPT_RANGES);
            weaken(&mut head.headers);
            packed.into()
        }
        _ => plain,
    };
    Response::from_parts(head, Either::Left(Full::new(body)))
}

fn broken(mut head: hyper::http::response::Parts) -> Response<Body> {
    head.status = StatusCode::INTERNAL_SERVER_ERROR;
    head.headers.clear();
    Response::from_parts(head, Either::Left(Full::new(Bytes::new())))
}

/// That the response depends on what the peer takes.
pub(super) fn varies(headers: &mut HeaderMap) {
    let said = headers.get_all(header::VARY).iter().any(|value| {
        value.to_str().is_ok_and(|value| {
            value
                .split(',')
                .any(|name| matches!(name.trim(), "*") || name.trim().eq_ignore_ascii_case("accept-encoding"))
        })
    });
    if !said {
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
}

/// The bytes are not those that a strong tag names (RFC 9110 §8.8.3.3).
fn weaken(headers: &mut HeaderMap) {
    if let Some(tag) = headers.get(header::ETAG)
        && !tag.as_bytes().starts_with(b"W/")
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat())
    {
        headers.insert(header::ETAG, weak);
    }
}

/// Whether the peer takes this coding: named, or by `*`, and not with a weight of 0.
pub(super) fn takes(asked: &HeaderMap, coding: &str) -> bool {
    let lines = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let mut by_star = false;
    for item in lines.flat_map(|line| line.split(',')) {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight =
            weight.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.trim().parse::<f32>().ok());
        let taken = weight.is_some_and(|weight| weight > 0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case(coding) => return taken,
            "*" => by_star = taken,
            _ => {}
        }
    }
    by_star
}

/// Types that are text, whatever they are called. Images, archives and the like are compressed already.
fn is_text(content_type: &HeaderValue) -> bool {
    let Ok(content_type) = content_type.to_str() else { return false };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
        || matches!(
            essence.strip_prefix("application/"),
            Some(
                "json"
                    | "javascript"
                    | "xml"
                    | "wasm"
                    | "manifest"
                    | "x-javascript"
                    | "x-ndjson"
                    | "graphql"
                    | "rtf"
            )
        )
}

fn gzip(plain: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 3), Compression::default());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(values: &[&str]) -> HeaderMap {
        let value = |value: &&str| (header::ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
        values.iter().map(value).collect()
    }

    #[test]
    fn a_coding_is_taken_when_it_is_named_and_not_weighed_with_nothing() {
        for (values, taken) in [
            (&["gzip"][..], true),
            (&["br, GZip;q=0.5"], true),
            (&["deflate", "gzip"], true),
            (&["*"], true),
            (&["gzip;q=0"], false),
            (&["gzip; q=0.000, *"], false),
            (&["*;q=0"], false),
            (&["identity"], false),
            (&["x-gzip"], false),
            (&["gzip;q=x"], false),
            (&[], false),
        ] {
            assert_eq!(takes(&asking(values), "gzip"), taken, "{values:?}");
        }
    }

    #[test]
    fn what_is_text_is_worth_it() {
        for (kind, text) in [
            ("text/html; charset=utf-8", true),
            ("Application/JSON", true),
            ("image/svg+xml", true),
            ("application/problem+json", true),
            ("image/png", false),
            ("application/octet-stream", false),
            ("application/gzip", false),
        ] {
            assert_eq!(is_text(&HeaderValue::from_static(kind)), text, "{kind}");
        }
    }

    fn respond(kind: &'static str, size: usize, accepts: &str) -> Response<Body> {
        let plain = Response::builder()
            .header(header::CONTENT_TYPE, kind)
            .header(header::ETAG, "\"strong\"")
            .body(Either::Left(Full::from("x".repeat(size))))
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(response(&asking(&[accepts]), plain))
    }

    #[test]
    fn a_response_that_depends_on_the_coding_says_so() {
        for (kind, size, accepts, coded, varies) in [
            ("text/plain", 860, "gzip", true, true),
            ("text/plain", 100_000, "gzip", true, true),
            ("text/plain", 860, "br", false, true),
            ("text/plain", 859, "gzip", false, false),
            ("image/png", 10_000, "gzip", false, false),
        ] {
            let response = respond(kind, size, accepts);
            let headers = response.headers();
            assert_eq!(headers.contains_key(header::CONTENT_ENCODING), coded, "{kind} {size} {accepts}");
            assert_eq!(headers.contains_key(header::VARY), varies, "{kind} {size} {accepts}");
            assert_eq!(headers[header::ETAG], if coded { "W/\"strong\"" } else { "\"strong\"" });
        }
    }
}
