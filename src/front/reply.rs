//! Responses of a line of text, and the body type that they share with files.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

/// A response's body: some bytes at hand, or a file that is streamed.
pub(super) type Body = Either<Full<Bytes>, hyper_staticfile::Body>;

/// A response with a plain text body that names the reason; hyper adds its `Content-Length`.
pub(super) fn text(status: StatusCode, reason: &'static str) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::from(reason)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The answer where there is nothing, or nothing to be seen.
pub(super) fn not_found() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "Not found")
}

/// A response of a head alone.
pub(super) fn empty(head: Response<()>) -> Response<Body> {
    head.map(|()| Either::Left(Full::default()))
}
