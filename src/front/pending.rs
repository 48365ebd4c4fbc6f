//! What waits for the application: handshakes and requests, and how its answers reach them.
//!
//! Each is asked once and ends once: by the answer that finds it here, or by [`Asked`] that withdraws it. Both
//! happen under one lock, so that an answer that was told OK is never lost, and one that comes too late is told so.

use std::collections::HashMap;
use std::sync::Arc;

use hyper::header::{HeaderMap, HeaderName};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind, Result};

use super::answer::Answer;
use super::request::{self, Request};

/// The application's decision on a handshake.
#[derive(Debug)]
pub(crate) enum Verdict {
    Accept { subprotocol: Option<String>, headers: HeaderMap },
    Reject(Answer),
}

/// What waits, by id.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    waiting: Mutex<HashMap<u64, Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    /// As the event carried it.
    request: Arc<[u8]>,
    to: Awaits,
}

#[derive(Debug)]
enum Awaits {
    Verdict {
        endpoint: u32,
        /// What the endpoint's own list makes of the offer.
        agreed: Option<String>,
        answer: oneshot::Sender<Verdict>,
    },
    Answer(oneshot::Sender<Answer>),
}

/// A handshake that is to be accepted, on its way to the data plane.
pub(crate) struct Accepting<'a> {
    pub(crate) id: u64,
    pub(crate) endpoint: u32,
    pub(crate) user_data: u64,
    /// ACCEPT's data.
    pub(crate) request: &'a [u8],
}

impl Pending {
    /// Lets a handshake wait for its verdict.
    pub(super) fn handshake(
        self: &Arc<Self>,
        id: u64,
        endpoint: u32,
        request: Arc<[u8]>,
        agreed: Option<String>,
    ) -> Asked<Verdict> {
        let (answer, answered) = oneshot::channel();
        self.ask(id, request, Awaits::Verdict { endpoint, agreed, answer }, answered)
    }

    /// Lets a request wait for its answer.
    pub(super) fn request(self: &Arc<Self>, id: u64, request: Arc<[u8]>) -> Asked<Answer> {
        let (answer, answered) = oneshot::channel();
        self.ask(id, request, Awaits::Answer(answer), answered)
    }

    fn ask<T>(
        self: &Arc<Self>,
        id: u64,
        request: Arc<[u8]>,
        to: Awaits,
        answered: oneshot::Receiver<T>,
    ) -> Asked<T> {
        self.waiting.lock().insert(id, Waiting { request, to });
        Asked { id, pending: Arc::clone(self), answered }
    }

    /// Accepts a handshake. `foresee` tells the data plane, before the client's id is any good and before the front
    /// hears of it; false when it has ended.
    pub(crate) fn accept(
        &self,
        id: u64,
        subprotocol: Option<&str>,
        headers: HeaderMap,
        user_data: u64,
        foresee: impl FnOnce(&Accepting<'_>) -> bool,
    ) -> Result<()> {
        let mut all = self.waiting.lock();
        let Some(Waiting { request, to: Awaits::Verdict { endpoint, agreed, .. } }) = all.get(&id) else {
            return Err(gone("handshake", id));
        };
        let subprotocol = match subprotocol {
            None => agreed.clone(),
            Some("") => None,
            Some(chosen) if is_offered(request, chosen) => Some(chosen.to_owned()),
            Some(other) => {
                return Err(Error::invalid(format!("subprotocol {other:?} was not offered by the client")));
            }
        };
        let request = request::with_subprotocol(request, subprotocol.as_deref().unwrap_or_default())?;
        if !foresee(&Accepting { id, endpoint: *endpoint, user_data, request: &request }) {
            return Err(gone("handshake", id));
        }
        if let Some(Waiting { to: Awaits::Verdict { answer, .. }, .. }) = all.remove(&id) {
            // It is received or found by whoever drops the receiver: both hold it until they have seen this entry
            // gone.
            let _ = answer.send(Verdict::Accept { subprotocol, headers });
        }
        Ok(())
    }

    /// Rejects a handshake.
    pub(crate) fn reject(&self, id: u64, answer: Answer) -> Result<()> {
        let mut all = self.waiting.lock();
        match all.get(&id) {
            Some(Waiting { to: Awaits::Verdict { .. }, .. }) => {}
            _ => return Err(gone("handshake", id)),
        }
        if let Some(Waiting { to: Awaits::Verdict { answer: to, .. }, .. }) = all.remove(&id) {
            let _ = to.send(Verdict::Reject(answer));
        }
        Ok(())
    }

    /// Answers a request.
    pub(crate) fn respond(&self, id: u64, answer: Answer) -> Result<()> {
        let mut all = self.waiting.lock();
        match all.get(&id) {
            Some(Waiting { to: Awaits::Answer(_), .. }) => {}
            _ => return Err(gone("request", id)),
        }
        if let Some(Waiting { to: Awaits::Answer(to), .. }) = all.remove(&id) {
            let _ = to.send(answer);
        }
        Ok(())
    }

    /// The value of a header of what waits: the lines of that name joined by `, ` (RFC 9110 §5.3), those of
    /// cookies by `; ` (RFC 9113 §8.2.3). `None` if there is none.
    pub(crate) fn header(&self, id: u64, name: &str) -> Result<Option<Vec<u8>>> {
        let request = match self.waiting.lock().get(&id) {
            Some(waiting) => Arc::clone(&waiting.request),
            None => return Err(gone("handshake or request", id)),
        };
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(Error::invalid(format!("header name {name:?} is not a token")));
        }
        let between: &[u8] = if name.eq_ignore_ascii_case("cookie") { b"; " } else { b", " };
        let request = Request::parse(&request)?;
        let values = request.headers().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        Ok(values.map(|(_, value)| value.to_vec()).reduce(|all, value| [&all[..], &value].join(between)))
    }

    /// How many handshakes wait.
    pub(crate) fn handshakes(&self) -> u64 {
        let waiting = self.waiting.lock();
        waiting.values().filter(|waiting| matches!(waiting.to, Awaits::Verdict { .. })).count() as u64
    }

    /// Whether it waited; it does not from now on.
    fn withdraw(&self, id: u64) -> bool {
        self.waiting.lock().remove(&id).is_some()
    }

    /// How much waits.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.waiting.lock().len()
    }
}

fn is_offered(request: &[u8], chosen: &str) -> bool {
    Request::parse(request).is_ok_and(|request| request.subprotocol().split(", ").any(|name| name == chosen))
}

fn gone(what: &str, id: u64) -> Error {
    Error::new(ErrorKind::Closed, format!("{what} {id} is gone, or was decided already"))
}

/// The front's end of a question.
pub(super) struct Asked<T> {
    id: u64,
    pending: Arc<Pending>,
    answered: oneshot::Receiver<T>,
}

impl<T> Asked<T> {
    /// Waits for the answer. It does not come if nobody gives one: time it.
    pub(super) async fn answer(&mut self) -> Option<T> {
        (&mut self.answered).await.ok()
    }

    /// Withdraws the question: no answer is taken from now on. One that was, is returned.
    pub(super) fn withdraw(&mut self) -> Option<T> {
        self.pending.withdraw(self.id);
        self.answered.try_recv().ok()
    }
}

impl<T> Drop for Asked<T> {
    fn drop(&mut self) {
        self.pending.withdraw(self.id);
    }
}
