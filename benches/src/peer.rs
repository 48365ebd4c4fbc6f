//! How a server on tokio is started: `PROGRAM MODE PORT`, with `WORKERS` in the environment.

use std::future::Future;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use slab::Slab;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::UnboundedSender;

/// Limit of messages and frames of every server that is measured.
pub const MAX_MESSAGE_SIZE: usize = 64 << 20;

/// What a server does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Echo,
    Broadcast,
}

/// The mode and the port from the command line.
pub fn arguments() -> Result<(Mode, u16), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, port] = arguments.as_slice() else {
        return Err("two arguments are needed: echo or broadcast, and a port".into());
    };
    let mode = match mode.as_str() {
        "echo" => Mode::Echo,
        "broadcast" => Mode::Broadcast,
        other => return Err(format!("there is no mode {other}")),
    };
    Ok((mode, port.parse().map_err(|error| format!("port {port}: {error}"))?))
}

/// A runtime with the `WORKERS` of the environment: one is the current thread, as tokio's users do it.
pub fn runtime() -> io::Result<Runtime> {
    let workers = std::env::var("WORKERS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut builder = if workers == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    if workers > 1 {
        builder.worker_threads(workers);
    }
    builder.enable_all().build()
}

/// Listens on 127.0.0.1, says so, and spawns `serve` for each client.
pub async fn serve<F>(port: u16, mut serve: impl FnMut(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    announce(listener.local_addr()?.port())?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tokio::spawn(serve(socket));
    }
}

/// Prints the line that whoever started the server waits for.
pub fn announce(port: u16) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on ws://127.0.0.1:{port}/")?;
    out.flush()
}

/// The clients that a broadcast goes to.
pub struct Room<M>(Arc<Mutex<Slab<UnboundedSender<M>>>>);

impl<M: Clone> Room<M> {
    #[must_use]
    pub fn new() -> Self {
        Room(Arc::new(Mutex::new(Slab::new())))
    }

    /// Adds a client and returns its membership, which ends when dropped.
    #[must_use]
    pub fn join(&self, outbox: UnboundedSender<M>) -> Membership<M> {
        let key = self.members().insert(outbox);
        Membership { room: self.clone(), key }
    }

    pub fn broadcast(&self, message: &M) {
        for (_, outbox) in self.members().iter() {
            // A client that is just leaving has no receiver any more.
            let _ = outbox.send(message.clone());
        }
    }

    fn members(&self) -> std::sync::MutexGuard<'_, Slab<UnboundedSender<M>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> Clone for Room<M> {
    fn clone(&self) -> Self {
        Room(Arc::clone(&self.0))
    }
}

impl<M: Clone> Default for Room<M> {
    fn default() -> Self {
        Self::new()
    }
}

pub struct Membership<M: Clone> {
    room: Room<M>,
    key: usize,
}

impl<M: Clone> Drop for Membership<M> {
    fn drop(&mut self) {
        self.room.members().remove(self.key);
    }
}
