//! What clients cost the server in memory that have sent and received, and stay.

use std::io;
use std::time::{Duration, Instant};

use crate::echo::Echo;
use crate::measure::{Allowance, Workload};
use crate::options::Options;
use crate::process::Process;

/// A server's own buffers and its allocator are not part of a client: so many come first, and leave again.
const WARMUP: usize = 16;

pub(crate) struct Memory {
    server: Process,
    before: u64,
}

impl Memory {
    /// To be called before the clients connect. `None` when it was not asked for.
    pub(crate) fn before(options: &Options, deadline: Instant) -> io::Result<Option<Self>> {
        let Some(server) = options.pid.filter(|_| options.memory).map(Process) else { return Ok(None) };
        let few = Options { clients: WARMUP, ..options.clone() };
        let mut echo = Echo::connect(&few, deadline)?;
        echo.run(Allowance::Messages((WARMUP * options.depth * 4) as u64), true)?;
        echo.close();
        server.settle(Duration::from_secs(1))?;
        Ok(Some(Self { server, before: server.memory()? }))
    }

    /// What each of them costs now.
    pub(crate) fn per_client(self, clients: usize) -> io::Result<f64> {
        self.server.settle(Duration::from_secs(1))?;
        Ok((self.server.memory()? as f64 - self.before as f64) / clients as f64)
    }
}
