//! HTTP/1.1: connections, their limits, and the way from a socket to [`Gateway::handle`] and back.
//!
//! Invariants:
//! - what a client sends is bounded before it is kept: heads at 64 KiB, bodies at the configured size, connections in
//!   number; large bodies only of senders who may be known, where credentials are configured;
//! - large bodies take no more memory together than the settings allow, and so do large replies ([`room::Room`]);
//! - what a client makes us wait for is bounded in time, and costs no timer per request: each connection keeps a
//!   [`pulse::Pulse`], and one task looks at all of them now and then;
//! - a drain loses no request that was begun.
//!
//! Nothing here knows a service.

mod body;
mod exchange;
mod framing;
mod listening;
mod peer;
mod pulse;
pub(crate) mod room;
mod stream;
mod threads;
mod watch;

pub use listening::Listening;
pub(crate) use peer::Peer;
