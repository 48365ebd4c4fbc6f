//! One request: to its endpoint, to a file, to the application, or refused.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::clock::Now;
use crate::event::{self, Event, Kind};
use crate::ids;

use super::acceptor::{self, Acceptable};
use super::answer::Answer;
use super::pending::{Asked, Verdict};
use super::reply::{self, Body, Refusal};
use super::request::{self, Parts};
use super::route::Route;
use super::site::Site;
use super::{Intake, LOG, path};

/// A connection, as far as its requests are concerned.
pub(super) struct Connection {
    site: Arc<Site>,
    peer: String,
    local: String,
    stopping: watch::Receiver<()>,
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
    /// By its endpoint: the request.
    Unnamed(Vec<u8>),
    /// By the application, which knows its id.
    Expected(Expected),
}

impl Newcomer {
    /// The socket is about to be handed over.
    pub(super) fn adopted(self) -> super::Newcomer {
        match self {
            Self::Unnamed(request) => super::Newcomer::Unnamed(request),
            Self::Expected(mut expected) => super::Newcomer::Expected(expected.take()),
        }
    }
}

/// A client that the data plane waits for: it comes, or it is lost.
pub(super) struct Expected {
    id: Option<u64>,
    intake: Arc<dyn Intake>,
}

impl Expected {
    fn take(&mut self) -> u64 {
        self.id.take().unwrap_or_default()
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.intake.lose(id);
        }
    }
}

/// A handshake that the application has been asked about. However its connection ends, the application hears of
/// it: by its own decision, or by HANDSHAKE_GONE.
struct Undecided {
    id: u64,
    endpoint: u32,
    asked: Asked<Verdict>,
    intake: Arc<dyn Intake>,
    settled: bool,
}

impl Undecided {
    /// Takes the handshake back from the application. A verdict that came first holds.
    fn withdraw(&mut self, status: u16) -> Option<Verdict> {
        self.settled = true;
        let verdict = self.asked.withdraw();
        if verdict.is_none() {
            self.intake.release(self.id);
            self.intake.raise(&Event {
                client: self.id,
                endpoint: self.endpoint,
                code: status.into(),
                ..Event::of_server(Kind::HandshakeGone, Now::read().wall_ns)
            });
        }
        verdict
    }
}

impl Drop for Undecided {
    fn drop(&mut self) {
        // The connection is gone, and this with it.
        if !self.settled && matches!(self.withdraw(0), Some(Verdict::Accept { .. })) {
            self.intake.lose(self.id);
        }
    }
}

impl Connection {
    pub(super) fn new(site: Arc<Site>, peer: String, local: String, stopping: watch::Receiver<()>) -> Self {
        Self { site, peer, local, stopping, handover: Mutex::new(None) }
    }

    /// What there is to hand over, once hyper is done with the socket.
    pub(super) fn into_handover(self) -> (Arc<Site>, Option<Handover>) {
        (self.site, self.handover.into_inner())
    }

    pub(super) async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        let refusal = if !path::is_sound(path) {
            Refusal::bad_request("The path is not a plain one")
        } else if let Some(route) = self.site.routes.find(path) {
            return self.handshake(request, &route).await;
        } else {
            match self.file(&request).await {
                Ok(response) => return response,
                Err(refusal) => refusal,
            }
        };
        let is_servers_own = refusal.status.is_server_error() || refusal.status == StatusCode::BAD_REQUEST;
        if self.site.http.requests && !is_servers_own {
            return self.request(request).await;
        }
        self.refuse(&request, &[], refusal).await
    }

    async fn file(&self, request: &Request<Incoming>) -> Result<Response<Body>, Refusal> {
        match self.site.directory(request.uri().path()) {
            Some((files, path)) => files.respond(request, path).await,
            None => Err(Refusal::not_found()),
        }
    }

    /// A request at an endpoint.
    async fn handshake(&self, mut request: Request<Incoming>, route: &Route) -> Response<Body> {
        let Some(rules) = self.site.handshakes.get(route.endpoint as usize) else {
            return Refusal::not_found().response();
        };
        let Acceptable { mut response, offered, agreed } = match acceptor::check(&request, rules) {
            Ok(acceptable) => acceptable,
            Err(refusal) => return self.refuse(&request, &route.parameters, refusal).await,
        };
        let target = request.uri().to_string();
        let parts = |subprotocol| Parts {
            method: request.method().as_str(),
            target: &target,
            peer: &self.peer,
            local: &self.local,
            subprotocol,
            headers: request.headers(),
            parameters: &route.parameters,
            body: &[],
        };
        let client = if rules.deferred {
            let encoded = request::encode(&parts(&offered.join(", ")));
            match self.decision(route.endpoint, rules.timeout, encoded, agreed).await {
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
            Newcomer::Unnamed(request::encode(&parts(agreed.as_deref().unwrap_or_default())))
        };
        *self.handover.lock() =
            Some(Handover { upgrade: hyper::upgrade::on(&mut request), endpoint: route.endpoint, client });
        reply::empty(response)
    }

    /// What the application decides on a handshake; a refusal when it does not, or can't be asked.
    async fn decision(
        &self,
        endpoint: u32,
        within: Duration,
        request: Vec<u8>,
        agreed: Option<String>,
    ) -> Result<Decided, Refusal> {
        let intake = &self.site.intake;
        let id = intake.reserve(endpoint).ok_or(UNAVAILABLE)?;
        let request: Arc<[u8]> = request.into();
        let asked = self.site.pending.handshake(id, endpoint, Arc::clone(&request), agreed);
        let mut undecided = Undecided { id, endpoint, asked, intake: Arc::clone(intake), settled: false };
        let returned = intake.raise(&Event {
            client: id,
            endpoint,
            data: &request,
            ..Event::of_server(Kind::Handshake, Now::read().wall_ns)
        });
        drop(request);
        let (verdict, refusal) = if returned {
            (self.in_time(within, undecided.asked.answer()).await, UNAVAILABLE)
        } else {
            (None, FAILED)
        };
        let verdict = match verdict {
            Some(verdict) => {
                undecided.settled = true;
                Some(verdict)
            }
            None => undecided.withdraw(refusal.status.as_u16()),
        };
        match verdict {
            Some(Verdict::Accept { subprotocol, headers }) => {
                let expected = Expected { id: Some(id), intake: Arc::clone(intake) };
                Ok(Decided::Accepted { expected, subprotocol, headers })
            }
            Some(Verdict::Reject(answer)) => {
                intake.release(id);
                Ok(Decided::Rejected(answer))
            }
            None => Err(refusal),
        }
    }

    /// A request that the application answers.
    async fn request(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let limit = self.site.http.max_body_size;
        let body = if body.size_hint().lower() > limit {
            Err(TOO_LARGE)
        } else {
            match Limited::new(body, usize::try_from(limit).unwrap_or(usize::MAX)).collect().await {
                Ok(body) => Ok(body.to_bytes()),
                Err(error) if error.is::<LengthLimitError>() => Err(TOO_LARGE),
                Err(_) => Err(Refusal::bad_request("The body did not come whole")),
            }
        };
        let body = match body {
            Ok(body) => body,
            Err(refusal) => {
                let request = Request::from_parts(head, ());
                let mut response = self.refuse(&request, &[], refusal).await;
                // What is left of the body is not read.
                response.headers_mut().insert(hyper::header::CONNECTION, CLOSE);
                return response;
            }
        };
        let request = Request::from_parts(head, ());
        let answer = self.answer(&request, &[], &body, None, self.site.http.request_timeout).await;
        answer.map_or_else(|refusal| refusal.response(), reply::bytes)
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
            "refused {} at {}: {}", self.peer, request.uri().path(), refusal.reason
        );
        let within = self.site.http.error_page_timeout;
        let room = if within.is_zero() { None } else { self.site.error_pages.try_acquire().ok() };
        let answer = match &room {
            Some(_) => self.answer(request, parameters, &[], Some(refusal.status), within).await.ok(),
            None => None,
        };
        answer.map_or_else(|| refusal.response(), |answer| refusal.shaped(answer))
    }

    /// Asks the application for a response; of a refused request, for another one than ours.
    async fn answer<B>(
        &self,
        request: &Request<B>,
        parameters: &[(String, String)],
        body: &[u8],
        refused: Option<StatusCode>,
        within: Duration,
    ) -> Result<Answer, Refusal> {
        let id = ids::lone();
        let request: Arc<[u8]> = request::encode(&Parts {
            method: request.method().as_str(),
            target: &request.uri().to_string(),
            peer: &self.peer,
            local: &self.local,
            subprotocol: "",
            headers: request.headers(),
            parameters,
            body,
        })
        .into();
        let mut asked = self.site.pending.request(id, Arc::clone(&request));
        let returned = self.site.intake.raise(&Event {
            client: id,
            flags: refused.map_or(0, |_| event::FLAG_REFUSED),
            code: refused.map_or(0, |status| status.as_u16().into()),
            data: &request,
            ..Event::of_server(Kind::Request, Now::read().wall_ns)
        });
        drop(request);
        let answer = if returned { self.in_time(within, asked.answer()).await } else { None };
        answer.or_else(|| asked.withdraw()).ok_or(if returned { UNAVAILABLE } else { FAILED })
    }

    /// What the application says before its time is over, or the server's.
    async fn in_time<T>(&self, within: Duration, answer: impl Future<Output = Option<T>>) -> Option<T> {
        let mut stopping = self.stopping.clone();
        tokio::select! {
            biased;
            answer = timeout(within, answer) => answer.ok().flatten(),
            _ = stopping.changed() => None,
        }
    }
}

/// A decision of the application's.
enum Decided {
    Accepted { expected: Expected, subprotocol: Option<String>, headers: HeaderMap },
    Rejected(Answer),
}

/// The application does not answer, or the server stops.
const UNAVAILABLE: Refusal =
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, &[], "The server is not able to answer now");
/// The application's callback panicked.
const FAILED: Refusal = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, &[], "The server failed");
const TOO_LARGE: Refusal = Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, &[], "The body is too large");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
