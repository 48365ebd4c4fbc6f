//! What all connections share: the endpoints, the files, and the way to the application.

use std::io;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::admission::Admissions;
use crate::config::{Handshakes, Http};
use crate::telemetry::census::{Alarm, Census};

use super::pending::Pending;
use super::route::Routes;
use super::statics::Statics;
use super::wire::Bounds;
use super::{Intake, Settings, Shared};

/// How many refusals wait for the application at a time. Who asks for what is not there may ask without end: he
/// must not fill the application's queue with it.
const ERROR_PAGES: usize = 64;

/// How many connections over the limit are told so at a time; the others are just closed.
const TURNED_AWAY: usize = 64;

/// What is told of in the log, but not each time.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    pub(super) connections: Alarm,
    pub(super) address: Alarm,
    pub(super) requests: Alarm,
}

pub(super) struct Site {
    pub(super) routes: Routes,
    /// By endpoint number.
    pub(super) handshakes: Vec<Handshakes>,
    pub(super) http: Http,
    pub(super) pending: Arc<Pending>,
    pub(super) intake: Arc<dyn Intake>,
    pub(super) admissions: Arc<Admissions>,
    pub(super) census: Arc<Census>,
    pub(super) alarms: Alarms,
    /// Who may wait for the application.
    pub(super) waiting: Semaphore,
    /// Who may ask the application how to word a refusal.
    pub(super) error_pages: Semaphore,
    /// Which connections over the limit are told so.
    pub(super) turned_away: Arc<Semaphore>,
    /// By the path that they are below, which ends in a slash: the longest first.
    directories: Vec<(String, Statics)>,
}

impl Site {
    /// Fails if a directory cannot be served from.
    pub(super) fn new(settings: Settings, shared: Shared, intake: Arc<dyn Intake>) -> io::Result<Self> {
        let Settings { endpoints, http } = settings;
        let Shared { pending, admissions, census } = shared;
        let cache_time = u32::try_from(http.cache_time).ok().filter(|seconds| *seconds > 0);
        let mut directories = Vec::new();
        for (prefix, path) in &http.directories {
            directories.push((prefix.clone(), Statics::new(path, cache_time)?));
        }
        directories.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        let (patterns, handshakes): (Vec<_>, Vec<_>) = endpoints.into_iter().unzip();
        Ok(Self {
            routes: Routes::new(patterns),
            handshakes,
            pending,
            intake,
            admissions,
            census,
            alarms: Alarms::default(),
            waiting: Semaphore::new(usize::try_from(http.max_requests).unwrap_or(Semaphore::MAX_PERMITS)),
            error_pages: Semaphore::new(ERROR_PAGES),
            turned_away: Arc::new(Semaphore::new(TURNED_AWAY)),
            http,
            directories,
        })
    }

    /// What holds for each connection.
    pub(super) fn bounds(&self) -> Bounds {
        let Http { header_timeout, idle_timeout, write_timeout, .. } = self.http;
        let header_size = usize::try_from(self.http.max_header_size).unwrap_or(usize::MAX);
        Bounds { header_size, header_timeout, idle_timeout, write_timeout }
    }

    /// The directory that this path lies in, and the path within it; that is empty for the directory's own path
    /// without its slash.
    pub(super) fn directory<'a>(&self, path: &'a str) -> Option<(&Statics, &'a str)> {
        self.directories.iter().find_map(|(prefix, files)| {
            let rest = path.strip_prefix(prefix.trim_end_matches('/'))?;
            (rest.is_empty() || rest.starts_with('/')).then_some((files, rest))
        })
    }
}
