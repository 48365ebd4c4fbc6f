//! The request that became a client, in the bytes that ACCEPT carries to the host.
//!
//! The layout is one block without pointers, native-endian and not aligned, so that any language can read it:
//!
//! ```text
//! u32 header_count, u32 method_length, u32 target_length, u32 peer_length, u32 local_length,
//! u32 subprotocol_length,
//! header_count × { u32 name_length, u32 value_length },
//! then without separators: method, target, peer, local, subprotocol, name, value, name, value, …
//! ```

use std::net::SocketAddr;
use std::str;

use crate::error::{Error, Result};

/// A request, read in place.
///
/// ```
/// # fn on_accept(data: &[u8]) -> wsgate::Result<()> {
/// let request = wsgate::request::Request::parse(data)?;
/// if let Some(cookie) = request.header("cookie") {
///     println!("{} came to {} with {cookie:?}", request.peer(), request.path());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Request<'a> {
    method: &'a str,
    target: &'a str,
    peer: &'a str,
    local: &'a str,
    subprotocol: &'a str,
    headers: Headers<'a>,
}

impl<'a> Request<'a> {
    /// Reads the data of an ACCEPT event.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if these bytes do not follow the layout.
    pub fn parse(data: &'a [u8]) -> Result<Self> {
        Self::read(data).ok_or_else(|| Error::invalid("not an encoded request"))
    }

    fn read(data: &'a [u8]) -> Option<Self> {
        let mut rest = data;
        let mut lengths = [0; 6];
        for length in &mut lengths {
            *length = take_length(&mut rest)?;
        }
        let [count, method, target, peer, local, subprotocol] = lengths;
        let lengths = take(&mut rest, count.checked_mul(HEADER_LENGTHS)?)?;
        let mut text = |length| str::from_utf8(take(&mut rest, length)?).ok();
        let (method, target, peer, local, subprotocol) =
            (text(method)?, text(target)?, text(peer)?, text(local)?, text(subprotocol)?);
        let headers = Headers { lengths, bytes: rest };
        let mut unread = headers.clone();
        (unread.by_ref().count() == count && unread.bytes.is_empty()).then_some(Self {
            method,
            target,
            peer,
            local,
            subprotocol,
            headers,
        })
    }

    /// The method: `GET`.
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The request target as it was sent, without a fragment: `/chat?room=1`, or with scheme and host if a
    /// proxy's client sent it so.
    pub fn target(&self) -> &'a str {
        self.target
    }

    /// The target's path, not percent-decoded: `/chat`.
    pub fn path(&self) -> &'a str {
        self.path_and_query().0
    }

    /// The target's query without its question mark; `None` if there is no question mark.
    pub fn query(&self) -> Option<&'a str> {
        self.path_and_query().1
    }

    /// The peer's address: `127.0.0.1:5000`, `[::1]:5000`.
    pub fn peer(&self) -> &'a str {
        self.peer
    }

    /// The address that the peer connected to.
    pub fn local(&self) -> &'a str {
        self.local
    }

    /// The subprotocol that was agreed upon; empty if none was.
    pub fn subprotocol(&self) -> &'a str {
        self.subprotocol
    }

    /// The headers, one for each line; lines of one name in the order in which they came.
    pub fn headers(&self) -> Headers<'a> {
        self.headers.clone()
    }

    /// The value of the first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn path_and_query(&self) -> (&'a str, Option<&'a str>) {
        let target = match self.target.split_once("://") {
            Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
                rest.find(['/', '?']).map_or("", |start| rest.get(start..).unwrap_or_default())
            }
            _ => self.target,
        };
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        (if path.is_empty() { "/" } else { path }, query)
    }
}

/// The headers of a [`Request`]: lower-case names, and values that need not be UTF-8.
#[derive(Clone, Debug)]
pub struct Headers<'a> {
    lengths: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = (take_length(&mut self.lengths)?, take_length(&mut self.lengths)?);
        let name = str::from_utf8(take(&mut self.bytes, name)?).ok()?;
        Some((name, take(&mut self.bytes, value)?))
    }
}

const HEADER_LENGTHS: usize = 2 * size_of::<u32>();

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn take_length(rest: &mut &[u8]) -> Option<usize> {
    let (length, left) = rest.split_first_chunk()?;
    *rest = left;
    usize::try_from(u32::from_ne_bytes(*length)).ok()
}

/// Encodes a request. Its head is bounded far below what a `u32` counts.
pub(crate) fn encode<B>(
    request: &hyper::Request<B>,
    peer: SocketAddr,
    local: SocketAddr,
    subprotocol: &str,
) -> Vec<u8> {
    let target = request.uri().to_string();
    let (peer, local) = (peer.to_string(), local.to_string());
    let texts = [request.method().as_str(), &target, &peer, &local, subprotocol];
    let headers =
        || request.headers().iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));

    let mut block = Vec::new();
    let mut put_length = |length: usize| block.extend_from_slice(&(length as u32).to_ne_bytes());
    put_length(request.headers().len());
    texts.iter().for_each(|text| put_length(text.len()));
    for (name, value) in headers() {
        put_length(name.len());
        put_length(value.len());
    }
    texts.iter().for_each(|text| block.extend_from_slice(text.as_bytes()));
    for (name, value) in headers() {
        block.extend_from_slice(name);
        block.extend_from_slice(value);
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(target: &str) -> Vec<u8> {
        let request = hyper::Request::get(target)
            .header("Host", "example.org")
            .header("Cookie", "a=1")
            .header("X-Raw", &b"\xFFraw"[..])
            .header("cookie", "b=2")
            .header("X-Empty", "")
            .body(())
            .unwrap();
        encode(&request, "127.0.0.1:5000".parse().unwrap(), "[::1]:80".parse().unwrap(), "chat")
    }

    #[test]
    fn what_was_encoded_is_read_back() {
        let data = encoded("/chat?room=1&x=%20");
        let request = Request::parse(&data).unwrap();
        assert_eq!(request.method(), "GET");
        assert_eq!(request.target(), "/chat?room=1&x=%20");
        assert_eq!(request.path(), "/chat");
        assert_eq!(request.query(), Some("room=1&x=%20"));
        assert_eq!(request.peer(), "127.0.0.1:5000");
        assert_eq!(request.local(), "[::1]:80");
        assert_eq!(request.subprotocol(), "chat");
        assert_eq!(request.header("COOKIE"), Some(&b"a=1"[..]));
        assert_eq!(request.header("x-raw"), Some(&b"\xFFraw"[..]));
        assert_eq!(request.header("x-empty"), Some(&b""[..]));
        assert_eq!(request.header("x-none"), None);
        let cookies: Vec<_> = request.headers().filter(|(name, _)| *name == "cookie").collect();
        assert_eq!(cookies, [("cookie", &b"a=1"[..]), ("cookie", &b"b=2"[..])]);
        assert_eq!(request.headers().count(), 5);
    }

    #[test]
    fn the_layout_is_the_one_that_the_c_header_tells() {
        let request = hyper::Request::get("/x").header("a", "bc").body(()).unwrap();
        let address = "1.2.3.4:5".parse().unwrap();
        let mut expected = Vec::new();
        for length in [1u32, 3, 2, 9, 9, 0, 1, 2] {
            expected.extend_from_slice(&length.to_ne_bytes());
        }
        expected.extend_from_slice(b"GET/x1.2.3.4:51.2.3.4:5abc");
        assert_eq!(encode(&request, address, address, ""), expected);
    }

    #[test]
    fn a_target_in_absolute_form_keeps_its_path_and_query() {
        for (target, path, query) in [
            ("http://example.org/chat?a=b", "/chat", Some("a=b")),
            ("http://example.org", "/", None),
            ("http://example.org?a", "/", Some("a")),
            ("/back?to=http://example.org/x", "/back", Some("to=http://example.org/x")),
            ("/?", "/", Some("")),
            ("/a://b", "/a://b", None),
        ] {
            let data = encoded(target);
            let request = Request::parse(&data).unwrap();
            assert_eq!((request.path(), request.query()), (path, query), "{target}");
        }
    }

    #[test]
    fn bytes_cut_short_or_left_over_are_refused() {
        let mut data = encoded("/chat");
        for length in 0..data.len() {
            assert!(Request::parse(&data[..length]).is_err(), "{length} bytes");
        }
        data.push(0);
        assert!(Request::parse(&data).is_err());
    }

    #[test]
    fn lengths_beyond_the_data_are_refused() {
        for place in 0..6 {
            let mut data = encoded("/chat");
            data[place * 4..place * 4 + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
            assert!(Request::parse(&data).is_err(), "length {place}");
        }
    }
}
