//! A request in the bytes that HANDSHAKE, ACCEPT and REQUEST carry to the host.
//!
//! The layout is one block without pointers, native-endian and not aligned, so that any language can read it:
//!
//! ```text
//! u32 header_count, u32 method_length, u32 target_length, u32 peer_length, u32 local_length,
//! u32 subprotocol_length, u32 parameter_count, u32 body_length,
//! (header_count + parameter_count) × { u32 name_length, u32 value_length },
//! then without separators: method, target, peer, local, subprotocol, name, value, name, value, …, body
//! ```

use std::str;

use hyper::header::HeaderMap;

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
    parameters: Headers<'a>,
    body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Reads the data of a HANDSHAKE, ACCEPT or REQUEST event.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if these bytes do not follow the layout.
    pub fn parse(data: &'a [u8]) -> Result<Self> {
        Self::read(data).ok_or_else(|| Error::invalid("not an encoded request"))
    }

    fn read(data: &'a [u8]) -> Option<Self> {
        let mut rest = data;
        let mut lengths = [0; 8];
        for length in &mut lengths {
            *length = take_length(&mut rest)?;
        }
        let [headers, method, target, peer, local, subprotocol, parameters, body] = lengths;
        let header_lengths = take(&mut rest, headers.checked_mul(PAIR)?)?;
        let parameter_lengths = take(&mut rest, parameters.checked_mul(PAIR)?)?;
        let mut text = |length| str::from_utf8(take(&mut rest, length)?).ok();
        let (method, target, peer, local, subprotocol) =
            (text(method)?, text(target)?, text(peer)?, text(local)?, text(subprotocol)?);
        let (headers, rest) = Headers::split(header_lengths, headers, rest)?;
        let (parameters, rest) = Headers::split(parameter_lengths, parameters, rest)?;
        let whole = rest.len() == body && parameters.clone().all(|(_, value)| str::from_utf8(value).is_ok());
        whole.then_some(Self { method, target, peer, local, subprotocol, headers, parameters, body: rest })
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

    /// Of a HANDSHAKE, the subprotocols that the client offers, separated by `, `; of an ACCEPT, the one that
    /// was agreed upon. Empty if there is none.
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

    /// What the `:name` of the endpoint's path stands for, percent-decoded; of `*`, the rest of the path as it
    /// was sent.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The path's parameters, in its order.
    pub fn parameters(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let text = |(name, value)| str::from_utf8(value).ok().map(|value| (name, value));
        self.parameters.clone().filter_map(text)
    }

    /// The body of a REQUEST; empty else.
    pub fn body(&self) -> &'a [u8] {
        self.body
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

impl<'a> Headers<'a> {
    /// So many pairs with these lengths off the front of `bytes`, and what follows them.
    fn split(lengths: &'a [u8], count: usize, bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let all = Self { lengths, bytes };
        let mut unread = all.clone();
        (unread.by_ref().count() == count).then_some((all, unread.bytes))
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = (take_length(&mut self.lengths)?, take_length(&mut self.lengths)?);
        let name = str::from_utf8(take(&mut self.bytes, name)?).ok()?;
        Some((name, take(&mut self.bytes, value)?))
    }
}

/// The block's lengths and counts, and where that of the subprotocol stands.
const HEAD: usize = size_of::<[u32; 8]>();
const SUBPROTOCOL_LENGTH: usize = size_of::<[u32; 5]>();
/// The two lengths of a name and its value.
const PAIR: usize = 2 * size_of::<u32>();

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

/// What is told of a request, from one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) peer: &'a str,
    pub(crate) local: &'a str,
    pub(crate) subprotocol: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) parameters: &'a [(String, String)],
    pub(crate) body: &'a [u8],
}

/// Encodes a request. Its head and its body are bounded far below what a `u32` counts.
pub(crate) fn encode(parts: &Parts<'_>) -> Vec<u8> {
    let Parts { method, target, peer, local, subprotocol, headers, parameters, body } = *parts;
    let texts = [method, target, peer, local, subprotocol];
    let pairs = || {
        let headers = headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        headers.chain(parameters.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
    };
    let mut block = Vec::new();
    let mut put_length = |length: usize| block.extend_from_slice(&(length as u32).to_ne_bytes());
    put_length(headers.len());
    texts.iter().for_each(|text| put_length(text.len()));
    put_length(parameters.len());
    put_length(body.len());
    for (name, value) in pairs() {
        put_length(name.len());
        put_length(value.len());
    }
    texts.iter().for_each(|text| block.extend_from_slice(text.as_bytes()));
    for (name, value) in pairs() {
        block.extend_from_slice(name);
        block.extend_from_slice(value);
    }
    block.extend_from_slice(body);
    block
}

/// The encoded request with another subprotocol in it.
pub(crate) fn with_subprotocol(data: &[u8], subprotocol: &str) -> Result<Vec<u8>> {
    let Request { method, target, peer, local, subprotocol: before, headers, parameters, .. } =
        Request::parse(data)?;
    let lengths = headers.lengths.len() + parameters.lengths.len();
    let start = HEAD + lengths + method.len() + target.len() + peer.len() + local.len();
    let mut changed = Vec::with_capacity(data.len() + subprotocol.len());
    changed.extend_from_slice(data.get(..start).unwrap_or_default());
    changed.extend_from_slice(subprotocol.as_bytes());
    changed.extend_from_slice(data.get(start + before.len()..).unwrap_or_default());
    if let Some(length) = changed.get_mut(SUBPROTOCOL_LENGTH..SUBPROTOCOL_LENGTH + size_of::<u32>()) {
        length.copy_from_slice(&(subprotocol.len() as u32).to_ne_bytes());
    }
    Ok(changed)
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
        let parameter = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        encode(&Parts {
            method: "GET",
            target,
            peer: "127.0.0.1:5000",
            local: "[::1]:80",
            subprotocol: "chat",
            headers: request.headers(),
            parameters: &[parameter("room", "caf\u{e9}"), parameter("*", "a/b")],
            body: b"\xFFbody",
        })
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
        assert_eq!(request.parameter("room"), Some("caf\u{e9}"));
        assert_eq!(request.parameters().collect::<Vec<_>>(), [("room", "caf\u{e9}"), ("*", "a/b")]);
        assert_eq!(request.parameter("cookie"), None, "that is a header");
        assert_eq!(request.body(), b"\xFFbody");
    }

    #[test]
    fn another_subprotocol_leaves_the_rest_as_it_is() {
        let data = encoded("/chat");
        for subprotocol in ["", "x", "a longer one than before"] {
            let changed = with_subprotocol(&data, subprotocol).unwrap();
            let request = Request::parse(&changed).unwrap();
            assert_eq!(request.subprotocol(), subprotocol);
            assert_eq!((request.local(), request.parameter("*")), ("[::1]:80", Some("a/b")));
            assert_eq!((request.header("cookie"), request.body()), (Some(&b"a=1"[..]), &b"\xFFbody"[..]));
            assert_eq!(with_subprotocol(&changed, "chat").unwrap(), data);
        }
    }

    #[test]
    fn the_layout_is_the_one_that_the_c_header_tells() {
        let request = hyper::Request::get("/x").header("a", "bc").body(()).unwrap();
        let mut expected = Vec::new();
        for length in [1u32, 4, 2, 9, 9, 0, 1, 2, 1, 2, 1, 3] {
            expected.extend_from_slice(&length.to_ne_bytes());
        }
        expected.extend_from_slice(b"POST/x1.2.3.4:51.2.3.4:6abcdefgXY");
        let parts = Parts {
            method: "POST",
            target: "/x",
            peer: "1.2.3.4:5",
            local: "1.2.3.4:6",
            subprotocol: "",
            headers: request.headers(),
            parameters: &[("d".to_owned(), "efg".to_owned())],
            body: b"XY",
        };
        assert_eq!(encode(&parts), expected);
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
        for place in 0..8 {
            let mut data = encoded("/chat");
            data[place * 4..place * 4 + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
            assert!(Request::parse(&data).is_err(), "length {place}");
        }
    }
}
