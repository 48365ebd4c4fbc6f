//! Servers under test. They are leaked: one that hangs fails its test, and does not hang it.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use wsgate::{ClientId, Config, Delivery, EndpointId, Event, Handle, Kind, Queue, Server};

/// No test waits longer for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One endpoint, `/`, on a port of the system's choice. Peers may send as fast as they can.
pub(crate) fn config(workers: u64) -> (Config, EndpointId) {
    let mut config = Config::new();
    config.listen("127.0.0.1:0").unwrap();
    config.set_workers(workers).unwrap();
    config.set_max_connections(0).unwrap();
    let endpoint = config.add_endpoint("/").unwrap();
    config.set_rate_limit(endpoint, 0, 0).unwrap();
    (config, endpoint)
}

pub(crate) fn push(
    config: Config,
    handler: impl Fn(&Handle, &Event<'_>) + Send + Sync + 'static,
) -> &'static Server {
    start(config, Delivery::push(handler))
}

/// A server whose events wait in the queue, and hold reading back over `limit` bytes.
pub(crate) fn pull(mut config: Config, limit: u64) -> (&'static Server, Arc<Queue>) {
    config.set_queue_limit(limit).unwrap();
    let queue = Queue::new(limit).unwrap();
    (start(config, Delivery::Pull(Arc::clone(&queue))), queue)
}

fn start(config: Config, delivery: Delivery) -> &'static Server {
    /// Where a sanitizer finds them: what else is leaked is a finding.
    static LEAKED: Mutex<Vec<&Server>> = Mutex::new(Vec::new());

    let server = Box::leak(Box::new(Server::start(config, delivery).unwrap()));
    LEAKED.lock().unwrap().push(server);
    server
}

/// Stops, and sees the end.
pub(crate) fn end(server: &'static Server, grace: Duration) {
    server.stop(grace).unwrap();
    let (ended, end) = channel();
    std::thread::spawn(move || ended.send(server.join()));
    end.recv_timeout(PATIENCE).expect("the server does not come to its end").unwrap();
}

/// What the simplest application does.
pub(crate) fn echo(server: &Handle, event: &Event<'_>) {
    if event.kind == Kind::Message {
        // Its client may be gone.
        let _ = server.send_binary(ClientId(event.client), event.data);
    }
}
