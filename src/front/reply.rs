//! Responses of ours, and the body type that they share with files.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::answer::Answer;

/// A response's body: some bytes at hand, or a file that is streamed.
pub(super) type Body = Either<Full<Bytes>, hyper_staticfile::Body>;

/// Headers that are known before the program runs.
pub(super) type StaticHeaders = &'static [(HeaderName, &'static str)];

/// Why a request gets nothing better, as the peer is told.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) headers: StaticHeaders,
    pub(super) reason: &'static str,
}

impl Refusal {
    pub(super) const fn new(status: StatusCode, headers: StaticHeaders, reason: &'static str) -> Self {
        Self { status, headers, reason }
    }

    pub(super) const fn bad_request(reason: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, &[], reason)
    }

    /// Where there is nothing, or nothing to be seen.
    pub(super) const fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, &[], "Not found")
    }

    /// The response.
    pub(super) fn response(&self) -> Response<Body> {
        self.with_headers(text(self.status, self.reason))
    }

    /// The application's response in its place. What the status demands stands in it, too.
    pub(super) fn shaped(&self, answer: Answer) -> Response<Body> {
        let status = answer.status;
        let response = bytes(answer);
        if status == self.status { self.with_headers(response) } else { response }
    }

    fn with_headers(&self, mut response: Response<Body>) -> Response<Body> {
        for (name, value) in self.headers {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// A response with a plain text body that names the reason; hyper adds its `Content-Length`.
pub(super) fn text(status: StatusCode, reason: &'static str) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::from(reason)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The application's response.
pub(super) fn bytes(answer: Answer) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(answer.body)));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

/// A response of a head alone.
pub(super) fn empty(head: Response<()>) -> Response<Body> {
    head.map(|()| Either::Left(Full::default()))
}
