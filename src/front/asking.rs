//! What the application is asked: to decide on a handshake, to answer a request, to word a refusal.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::header::HeaderMap;
use hyper::{Request, StatusCode};
use tokio::sync::{SemaphorePermit, watch};
use tokio::time::timeout;

use crate::clock::Now;
use crate::event::{self, Event, Kind};
use crate::ids;
use crate::protocol::deflate::Agreement;
use crate::telemetry::census::Census;

use super::answer::Answer;
use super::pending::{Asked, Verdict};
use super::reply::Refusal;
use super::request::{self, Parts};
use super::site::Site;
use super::{Intake, LOG};

/// The application, as one connection asks it.
pub(super) struct Application {
    pub(super) site: Arc<Site>,
    pub(super) peer: String,
    pub(super) local: String,
    stopping: watch::Receiver<()>,
}

/// A decision of the application's.
pub(super) enum Decided {
    Accepted { expected: Expected, subprotocol: Option<String>, headers: HeaderMap },
    Rejected(Answer),
}

impl Application {
    pub(super) fn new(site: Arc<Site>, peer: String, local: String, stopping: watch::Receiver<()>) -> Self {
        Self { site, peer, local, stopping }
    }

    /// What the application decides on a handshake; a refusal when it does not, or can't be asked.
    pub(super) async fn decision(
        &self,
        endpoint: u32,
        within: Duration,
        request: Vec<u8>,
        agreed: Option<String>,
        compression: Option<Agreement>,
    ) -> Result<Decided, Refusal> {
        let _room = self.room()?;
        let (intake, census) = (&self.site.intake, &self.site.census);
        let id = intake.reserve(endpoint, compression).ok_or(UNAVAILABLE)?;
        let request: Arc<[u8]> = request.into();
        let asked = self.site.pending.handshake(id, endpoint, Arc::clone(&request), agreed);
        let mut undecided = Undecided { id, endpoint, asked, site: Arc::clone(&self.site), settled: false };
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
                Census::count(&census.accepted);
                let expected = Expected { id: Some(id), intake: Arc::clone(intake) };
                Ok(Decided::Accepted { expected, subprotocol, headers })
            }
            Some(Verdict::Reject(answer)) => {
                Census::count(&census.rejected);
                intake.release(id);
                Ok(Decided::Rejected(answer))
            }
            None => {
                Census::count(&census.handshake_timeouts);
                Err(refusal)
            }
        }
    }

    /// Room for one more who waits for the application.
    fn room(&self) -> Result<Room<'_>, Refusal> {
        let site = &*self.site;
        match site.waiting.try_acquire() {
            Ok(permit) => {
                site.census.waiting.fetch_add(1, Ordering::Relaxed);
                Ok(Room { site, _permit: permit })
            }
            Err(_) => {
                Census::count(&site.census.requests_refused);
                if let Some(more) = site.alarms.requests.ring(Now::read().wall_ns) {
                    let most = site.http.max_requests;
                    tracing::warn!(
                        target: LOG,
                        "refused {}, and {more} before it: max requests is {most}", self.peer
                    );
                }
                Err(UNAVAILABLE)
            }
        }
    }

    /// Asks the application for a response; of a refused request, for another one than ours.
    pub(super) async fn answer<B>(
        &self,
        request: &Request<B>,
        parameters: &[(String, String)],
        body: &[u8],
        refused: Option<StatusCode>,
        within: Duration,
    ) -> Result<Answer, Refusal> {
        let _room = self.room()?;
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
        answer.or_else(|| asked.withdraw()).ok_or_else(|| {
            Census::count(&self.site.census.request_timeouts);
            if returned { UNAVAILABLE } else { FAILED }
        })
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

/// A client that the data plane waits for: it comes, or it is lost.
pub(super) struct Expected {
    id: Option<u64>,
    intake: Arc<dyn Intake>,
}

impl Expected {
    /// The socket is about to be handed over.
    pub(super) fn take(&mut self) -> u64 {
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
    site: Arc<Site>,
    settled: bool,
}

impl Undecided {
    /// Takes the handshake back from the application. A verdict that came first holds.
    fn withdraw(&mut self, status: u16) -> Option<Verdict> {
        self.settled = true;
        let verdict = self.asked.withdraw();
        if verdict.is_none() {
            self.site.intake.release(self.id);
            self.site.intake.raise(&Event {
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
        if self.settled {
            return;
        }
        match self.withdraw(0) {
            Some(Verdict::Accept { .. }) => {
                Census::count(&self.site.census.accepted);
                self.site.intake.lose(self.id);
            }
            Some(Verdict::Reject(_)) => {
                Census::count(&self.site.census.rejected);
                self.site.intake.release(self.id);
            }
            None => Census::count(&self.site.census.handshakes_left),
        }
    }
}

/// Held by whoever waits for the application.
struct Room<'a> {
    site: &'a Site,
    _permit: SemaphorePermit<'a>,
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.site.census.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The application does not answer, or the server stops.
const UNAVAILABLE: Refusal =
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, &[], "The server is not able to answer now");
/// The application's callback panicked.
const FAILED: Refusal = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, &[], "The server failed");
