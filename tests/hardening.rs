//! What must hold at the edges and under load, through raw sockets that do as they please: odd endings,
//! panics, limits, stops, idle costs, and random operations from everywhere at once.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail so

#[path = "hardening/churn.rs"]
mod churn;
#[path = "hardening/endings.rs"]
mod endings;
#[path = "hardening/fan_out.rs"]
mod fan_out;
#[path = "hardening/flow.rs"]
mod flow;
#[path = "hardening/handshakes.rs"]
mod handshakes;
#[path = "hardening/idle.rs"]
mod idle;
#[path = "hardening/inbox.rs"]
mod inbox;
#[path = "hardening/limits.rs"]
mod limits;
#[path = "hardening/order.rs"]
mod order;
#[path = "hardening/outcomes.rs"]
mod outcomes;
#[path = "hardening/panics.rs"]
mod panics;
#[path = "hardening/peer.rs"]
mod peer;
#[path = "hardening/process.rs"]
mod process;
#[path = "hardening/random.rs"]
mod random;
#[path = "hardening/served.rs"]
mod served;
#[path = "hardening/stop.rs"]
mod stop;
#[path = "hardening/stress.rs"]
mod stress;
#[path = "hardening/unfinished.rs"]
mod unfinished;
