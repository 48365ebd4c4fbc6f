//! One request: to its endpoint, to a file, to the application, or refused.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::config::Http;
use crate::protocol::deflate::Agreement;
use crate::telemetry::census::Census;

use super::acceptor::{self, Acceptable};
use super::asking::{Application, Decided, Expected};
use super::reply::{self, Body, Refusal};
use super::request::{self, Parts};
use super::route::Route;
use super::site::Site;
use super::wire::{Answered, Tap};
use super::{LOG, compress, path};

/// A connection, as far as its requests are concerned.
pub(super) struct Connection {
    application: Application,
    tap: Tap,
    /// Set once a 101 is on its way; hyper lets go of the socket when it is out.
    handover: Mutex<Option<Handover>>,
}

/// What the data plane is to get with the socket.
pub(super) struct Handover {
    pub(super) upgrade: OnUpgrade,
    pub(super) endpoint: u32,
    pub(super) client: Newcomer,
}

/// Who was accepted.
pub(super) enum Newcomer {
    /// By its endpoint: the request, and what was agreed upon.
    Unnamed(Vec<u8>, Option<Agreement>),
    /// By the application, which knows its id.
    Expected(Expected),
}

impl Newcomer {
    /// The socket is about to be handed over.
    pub(super) fn adopted(self) -> super::Newcomer {
        match self {
            Self::Unnamed(request, compression) => super::Newcomer::Unnamed(request, compression),
            Self::Expected(mut expected) => super::Newcomer::Expected(expected.take()),
        }
    }
}

impl Connection {
    pub(super) fn new(
        site: Arc<Site>,
        peer: String,
        local: String,
        tap: Tap,
        stopping: watch::Receiver<()>,
    ) -> Self {
        let application = Application::new(site, peer, local, stopping);
        Self { application, tap, handover: Mutex::new(None) }
    }

    pub(super) fn peer(&self) -> &str {
        &self.application.peer
    }

    /// What there is to hand over, once hyper is done with the socket.
    pub(super) fn take_handover(&self) -> Option<Handover> {
        self.handover.lock().take()
    }

    pub(super) fn into_site(self) -> Arc<Site> {
        self.application.site
    }

    fn site(&self) -> &Site {
        &self.application.site
    }

    /// One request's response. The next request passes when it is out.
    pub(super) async fn respond(&self, request: Request<Incoming>) -> Response<Tracked> {
        // Behind chunks nothing passes any more: see [`super::wire`].
        let is_last = request.headers().contains_key(header::TRANSFER_ENCODING);
        let mut response = match self.tap.take_refusal() {
            Some(refusal) => {
                tracing::debug!(target: LOG, "refused {}: {}", self.peer(), refusal.reason);
                closing(refusal.response())
            }
            None => {
                Census::count(&self.site().census.requests_total);
                self.answer_to(request).await
            }
        };
        if is_last {
            response = closing(response);
        }
        let answered = match response.status() {
            StatusCode::SWITCHING_PROTOCOLS => Answered::never(),
            _ => self.tap.answered(),
        };
        response.map(|body| Tracked { body, _answered: answered })
    }

    async fn answer_to(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        let refusal = if !path::is_sound(path) {
            Refusal::bad_request("The path is not a plain one")
        } else if let Some(route) = self.site().routes.find(path) {
            return self.handshake(request, &route).await;
        } else if !self.site().http.methods.iter().any(|method| method == request.method().as_str()) {
            return self.not_allowed(&request).await;
        } else {
            match self.file(&request).await {
                Ok(response) => return response,
                Err(refusal) => refusal,
            }
        };
        let is_servers_own = refusal.status.is_server_error() || refusal.status == StatusCode::BAD_REQUEST;
        if self.site().http.requests && !is_servers_own {
            return self.request(request).await;
        }
        self.refuse(&request, &[], refusal).await
    }

    async fn not_allowed(&self, request: &Request<Incoming>) -> Response<Body> {
        let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, &[], "The method is not allowed");
        let mut response = self.refuse(request, &[], refusal).await;
        if let Ok(methods) = HeaderValue::try_from(self.site().http.methods.join(", ")) {
            response.headers_mut().insert(header::ALLOW, methods);
        }
        response
    }

    async fn file(&self, request: &Request<Incoming>) -> Result<Response<Body>, Refusal> {
        match self.site().directory(request.uri().path()) {
            Some((files, path)) => files.respond(request, path).await,
            None => Err(Refusal::not_found()),
        }
    }

    /// A request at an endpoint.
    async fn handshake(&self, mut request: Request<Incoming>, route: &Route) -> Response<Body> {
        let Some(rules) = self.site().handshakes.get(route.endpoint as usize) else {
            return Refusal::not_found().response();
        };
        let Acceptable { mut response, offered, agreed, compression } = match acceptor::check(&request, rules)
        {
            Ok(acceptable) => acceptable,
            Err(refusal) => return self.refuse(&request, &route.parameters, refusal).await,
        };
        let target = request.uri().to_string();
        let parts = |subprotocol| Parts {
            method: request.method().as_str(),
            target: &target,
            peer: &self.application.peer,
            local: &self.application.local,
            subprotocol,
            headers: request.headers(),
            parameters: &route.parameters,
            body: &[],
        };
        let client = if rules.deferred {
            let encoded = request::encode(&parts(&offered.join(", ")));
            self.tap.set_deciding(true);
            let decided =
                self.application.decision(route.endpoint, rules.timeout, encoded, agreed, compression).await;
            self.tap.set_deciding(false);
            match decided {
                Ok(Decided::Accepted { expected, subprotocol, headers }) => {
                    acceptor::agree(&mut response, subprotocol.as_deref());
                    response.headers_mut().extend(headers);
                    Newcomer::Expected(expected)
                }
                Ok(Decided::Rejected(answer)) => return reply::bytes(answer),
                Err(refusal) => return refusal.response(),
            }
        } else {
            acceptor::agree(&mut response, agreed.as_deref());
            Newcomer::Unnamed(request::encode(&parts(agreed.as_deref().unwrap_or_default())), compression)
        };
        *self.handover.lock() =
            Some(Handover { upgrade: hyper::upgrade::on(&mut request), endpoint: route.endpoint, client });
        reply::empty(response)
    }

    /// A request that the application answers.
    async fn request(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let request = Request::from_parts(head, ());
        let body = match self.body(body).await {
            Ok(body) => body,
            // What is left of the body is not read.
            Err(refusal) => return closing(self.refuse(&request, &[], refusal).await),
        };
        match self.application.answer(&request, &[], &body, None, self.site().http.request_timeout).await {
            Ok(answer) => compress::response(request.headers(), reply::bytes(answer)).await,
            Err(refusal) => refusal.response(),
        }
    }

    async fn body(&self, body: Incoming) -> Result<Bytes, Refusal> {
        let Http { max_body_size, body_timeout, .. } = self.site().http;
        let too_large = || {
            Census::count(&self.site().census.bodies_refused);
            TOO_LARGE
        };
        if body.size_hint().lower() > max_body_size {
            return Err(too_large());
        }
        let limited = Limited::new(body, usize::try_from(max_body_size).unwrap_or(usize::MAX));
        match timeout(body_timeout, limited.collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(_)) => Err(Refusal::bad_request("The body did not come whole")),
            Err(_) => {
                Census::count(&self.site().census.body_timeouts);
                Err(BODY_TIMEOUT)
            }
        }
    }

    /// A refusal, in the application's words if it wants to find them.
    async fn refuse<B>(
        &self,
        request: &Request<B>,
        parameters: &[(String, String)],
        refusal: Refusal,
    ) -> Response<Body> {
        tracing::debug!(
            target: LOG,
            "refused {} at {}: {}", self.peer(), request.uri().path(), refusal.reason
        );
        Census::count(&self.site().census.refused);
        let within = self.site().http.error_page_timeout;
        let room = if within.is_zero() { None } else { self.site().error_pages.try_acquire().ok() };
        let answer = match &room {
            Some(_) => {
                self.application.answer(request, parameters, &[], Some(refusal.status), within).await.ok()
            }
            None => None,
        };
        answer.map_or_else(|| refusal.response(), |answer| refusal.shaped(answer))
    }
}

/// A response's body that tells when hyper is done with it.
pub(super) struct Tracked {
    body: Body,
    _answered: Answered,
}

impl hyper::body::Body for Tracked {
    type Data = <Body as hyper::body::Body>::Data;
    type Error = <Body as hyper::body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The connection's last response.
fn closing(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

const TOO_LARGE: Refusal = Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, &[], "The body is too large");
const BODY_TIMEOUT: Refusal =
    Refusal::new(StatusCode::REQUEST_TIMEOUT, &[], "The request's body did not come in time");

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
