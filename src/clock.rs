//! One reading of the time serves a whole turn.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use once_cell::sync::Lazy;

/// Where the monotonic and the wall clock were read together: events carry wall time that never goes
/// back while the process lives.
static ORIGIN: Lazy<(Instant, u64)> = Lazy::new(|| {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    (Instant::now(), wall.as_nanos() as u64)
});

/// A moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    /// Nanoseconds since 1970.
    pub(crate) wall_ns: u64,
}

impl Now {
    pub(crate) fn read() -> Self {
        let (origin, wall) = *ORIGIN;
        let instant = Instant::now();
        let since = instant.saturating_duration_since(origin).as_nanos() as u64;
        Self { instant, wall_ns: wall + since }
    }
}
