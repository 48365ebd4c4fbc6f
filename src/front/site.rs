//! What all connections share: the endpoints, the files, and the way to the application.

use std::io;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::config::{Handshakes, Http};

use super::pending::Pending;
use super::route::Routes;
use super::statics::Statics;
use super::{Intake, Settings};

/// How many refusals wait for the application at a time. Who asks for what is not there may ask without end: he
/// must not fill the application's queue with it.
const ERROR_PAGES: usize = 64;

pub(super) struct Site {
    pub(super) routes: Routes,
    /// By endpoint number.
    pub(super) handshakes: Vec<Handshakes>,
    pub(super) http: Http,
    pub(super) pending: Arc<Pending>,
    pub(super) intake: Arc<dyn Intake>,
    /// Who may ask the application how to word a refusal.
    pub(super) error_pages: Semaphore,
    /// By the path that they are below, which ends in a slash: the longest first.
    directories: Vec<(String, Statics)>,
}

impl Site {
    /// Fails if a directory cannot be served from.
    pub(super) fn new(
        settings: Settings,
        pending: Arc<Pending>,
        intake: Arc<dyn Intake>,
    ) -> io::Result<Self> {
        let Settings { endpoints, http } = settings;
        let mut directories = Vec::new();
        for (prefix, path) in &http.directories {
            directories.push((prefix.clone(), Statics::new(path)?));
        }
        directories.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        let (patterns, handshakes): (Vec<_>, Vec<_>) = endpoints.into_iter().unzip();
        let error_pages = Semaphore::new(ERROR_PAGES);
        Ok(Self {
            error_pages,
            routes: Routes::new(patterns),
            handshakes,
            http,
            pending,
            intake,
            directories,
        })
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
