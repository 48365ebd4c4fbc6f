//! What the tests run: a front on a loopback socket with a data plane that only collects, peers that speak
//! raw bytes, and a directory to serve from.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Bound, Front, Intake, Pending, Settings, Shared, Upgraded};
use crate::admission::Admissions;
use crate::config::{Config, Endpoint};
use crate::event::Event;
use crate::socket::Socket;
use crate::telemetry::census::Census;

/// Far more than anything takes; what hangs fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

pub(super) const HANDSHAKE: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    Origin: http://example.org\r\n\r\n";

/// What a test does with an event; false is a panic.
pub(super) type OnEvent = Box<dyn Fn(&Event<'_>) -> bool + Send + Sync>;

struct Collector {
    adopted: mpsc::Sender<Upgraded>,
    ids: AtomicU64,
    /// Ids that were reserved and neither released nor lost.
    reserved: Arc<AtomicU64>,
    on_event: OnEvent,
}

impl Intake for Collector {
    fn adopt(&self, upgraded: Upgraded) {
        self.adopted.send(upgraded).unwrap();
    }

    fn reserve(&self, _: u32, _: Option<crate::protocol::deflate::Agreement>) -> Option<u64> {
        self.reserved.fetch_add(1, Ordering::SeqCst);
        Some(self.ids.fetch_add(1, Ordering::SeqCst))
    }

    fn release(&self, _: u64) {
        self.reserved.fetch_sub(1, Ordering::SeqCst);
    }

    fn lose(&self, _: u64) {
        self.reserved.fetch_sub(1, Ordering::SeqCst);
    }

    fn raise(&self, event: &Event<'_>) -> bool {
        (self.on_event)(event)
    }
}

pub(super) struct Running {
    pub(super) address: SocketAddr,
    pub(super) adopted: mpsc::Receiver<Upgraded>,
    pub(super) pending: Arc<Pending>,
    pub(super) census: Arc<Census>,
    pub(super) reserved: Arc<AtomicU64>,
    stop: Option<oneshot::Sender<()>>,
    /// Disconnected once the front has returned.
    ended: mpsc::Receiver<()>,
}

impl Running {
    /// `/echo` for everybody, `/chat` for one origin, and these files.
    pub(super) fn start(directory: Option<PathBuf>) -> Self {
        Self::listening(vec![TcpListener::bind("127.0.0.1:0").unwrap()], directory)
    }

    pub(super) fn listening(listeners: Vec<TcpListener>, directory: Option<PathBuf>) -> Self {
        let mut config = Config::new();
        config.add_endpoint("/echo").unwrap();
        let chat = config.add_endpoint("/chat").unwrap();
        config.add_origin(chat, "http://example.org").unwrap();
        if let Some(directory) = directory {
            config.set_directory(directory).unwrap();
        }
        Self::with(listeners, &config, Arc::default(), Box::new(|_| true))
    }

    /// A front of this configuration, and what hears its events.
    pub(super) fn serving(config: &Config, pending: Arc<Pending>, on_event: OnEvent) -> Self {
        Self::with(vec![TcpListener::bind("127.0.0.1:0").unwrap()], config, pending, on_event)
    }

    fn with(listeners: Vec<TcpListener>, config: &Config, pending: Arc<Pending>, on_event: OnEvent) -> Self {
        let address = listeners[0].local_addr().unwrap();
        let (sender, adopted) = mpsc::channel();
        let reserved = Arc::default();
        let collector =
            Collector { adopted: sender, ids: AtomicU64::new(1), reserved: Arc::clone(&reserved), on_event };
        let of = |endpoint: &Endpoint| (endpoint.pattern.clone(), endpoint.handshakes.clone());
        let settings =
            Settings { endpoints: config.endpoints.iter().map(of).collect(), http: config.http.clone() };
        let http = &config.http;
        let shared = Shared {
            pending: Arc::clone(&pending),
            admissions: Admissions::new(http.max_connections, http.max_connections_per_address),
            census: Arc::default(),
        };
        let census = Arc::clone(&shared.census);
        let listeners = listeners.into_iter().map(Bound::tcp).collect();
        let front = Front::new(listeners, settings, shared, Arc::new(collector)).unwrap();
        let (stop, stopped) = oneshot::channel();
        let (running, ended) = mpsc::channel();
        std::thread::spawn(move || {
            front.run(stopped);
            drop(running);
        });
        Self { address, adopted, pending, census, reserved, stop: Some(stop), ended }
    }

    pub(super) fn connect(&self) -> Peer {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Peer(stream)
    }

    /// The answer to one request on a connection of its own.
    pub(super) fn ask(&self, request: &str) -> Answer {
        self.connect().ask(request)
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
    }

    pub(super) fn get_with(&self, path: &str, header: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n"))
    }

    pub(super) fn adopted(&self) -> Upgraded {
        self.adopted.recv_timeout(PATIENCE).unwrap()
    }

    pub(super) fn stop(&mut self) -> Duration {
        let asked = Instant::now();
        drop(self.stop.take());
        assert_eq!(self.ended.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Disconnected));
        asked.elapsed()
    }
}

pub(super) struct Peer(pub(super) TcpStream);

impl Peer {
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    pub(super) fn ask(&mut self, request: &str) -> Answer {
        self.send(request.as_bytes());
        self.answer(!request.starts_with("HEAD"))
    }

    pub(super) fn answer(&mut self, has_body: bool) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let mut answer = Answer { head: String::from_utf8(head).unwrap(), body: Vec::new() };
        if let Some(length) = answer.header("content-length").filter(|_| has_body) {
            answer.body.resize(length.parse().unwrap(), 0);
            self.0.read_exact(&mut answer.body).unwrap();
        }
        answer
    }

    /// Whether the other side has closed, by FIN or by reset.
    pub(super) fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0]) {
            Ok(length) => length == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

pub(super) struct Answer {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A directory that goes when it is dropped.
pub(super) struct Directory(pub(super) PathBuf);

impl Directory {
    /// `public/` is what is served; `secret.txt` lies beside it.
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("wsgate-front-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(directory.public().join("sub dir/deep")).unwrap();
        directory.write("secret.txt", "secret");
        directory.write("public/index.html", "<p>home");
        directory.write("public/plain.txt", "0123456789");
        directory.write("public/empty.txt", "");
        directory.write("public/.hidden", "secret");
        directory.write("public/sub dir/index.html", "<p>sub");
        directory
    }

    pub(super) fn public(&self) -> PathBuf {
        self.0.join("public")
    }

    pub(super) fn write(&self, path: impl AsRef<Path>, content: &str) {
        fs::write(self.0.join(path), content).unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The socket of an upgraded connection.
pub(super) fn stream_of(upgraded: Upgraded) -> TcpStream {
    match upgraded.socket {
        Socket::Tcp(stream) => stream,
        Socket::Unix(_) => panic!("it came by TCP"),
    }
}
