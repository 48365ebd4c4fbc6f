//! **wsgate**: a WebSocket server and gateway for C, PHP, Python and Rust.
//!
//! ```text
//!                 C            PHP (FFI)       Python (ctypes)        Rust
//!                 └───────────────┴───────┬───────┘                    │
//!  ffi       handles, statuses, records   │ the C ABI, and nothing else│
//!            ─────────────────────────────┴────────────────────────────┤
//!  server    start, stop, send, broadcast                              │
//!            ───────────────┬──────────────────────┬───────────────────┘
//!  front     tokio, hyper:  │  worker  poll loop:  │  delivery
//!            listen, HTTP,  │  turns, timers,      │  push: callbacks
//!            accept, files ─┼─▶ mailboxes          ├─▶ pull: queue, fd
//!                           │  gateway  members    │
//!                           │  connection  client  │
//!                           │  protocol  RFC 6455  │
//!            ───────────────┴──────────────────────┘
//!            config   error   event   ids   sys
//! ```
//!
//! The **front** is the control plane: everything before a connection is a client. At the upgrade it
//! hands the socket to a **worker**, the data plane: one thread and one poller for many clients, each a
//! state machine that owns no I/O. What happens is raised into a sink; **delivery** calls the
//! application (push) or keeps events until it takes them (pull).
//!
//! ```
//! use wsgate::{ClientId, Config, Delivery, EndpointId, Kind, Queue, Server, Taken};
//!
//! let mut config = Config::new();
//! config.listen("127.0.0.1:0")?;
//! let _chat: EndpointId = config.add_endpoint("/chat")?;
//! let events = Queue::new(1 << 20)?;
//! let server = Server::start(config, Delivery::Pull(events.clone()))?;
//! println!("listening on port {}", server.port(0)?);
//!
//! # server.stop(std::time::Duration::ZERO)?;
//! let mut batch = Taken::new();
//! while let Ok(_) = events.take(&mut batch, 0, None) {
//!     for event in batch.records() {
//!         if event.kind == Kind::Message as u32 {
//!             let _ = server.send_binary(ClientId(event.client), batch.data(event));
//!         }
//!     }
//! }
//! # Ok::<(), wsgate::Error>(())
//! ```

mod admission;
mod clock;
mod connection;
mod delivery;
mod front;
mod gateway;
mod ids;
mod message;
mod server;
mod socket;
mod sync;
mod sys;
mod telemetry;
mod worker;

pub mod config;
pub mod counters;
pub mod error;
pub mod event;
pub mod ffi;
pub mod protocol;

pub use config::{ClientId, Compress, Config, EndpointId, GatewayId, RatePolicy, RequestId, SlowConsumer};
pub use connection::block::{outbox_budget, outbox_bytes, set_outbox_budget};
pub use counters::{Info, ServerInfo};
pub use delivery::{Delivery, Handler, Queue, Record, Taken};
pub use error::{Error, ErrorKind, Result};
pub use event::{Cause, Event, Kind};
pub use front::Field;
pub use front::request::{self, Request};
pub use message::Message;
pub use protocol::unfinished::{inbox_budget, inbox_bytes, set_inbox_budget};
pub use server::{Handle, Server};

/// The README's Rust program is compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
