//! The AWS wire: signatures, protocols, errors, typed requests and results, for servers and for clients.
//!
//! Bytes to typed requests and back, and nothing else: this crate knows no queue, keeps no state but derived signing
//! keys, reads no clock (the caller passes the time) and does no IO. It speaks in the types of the `http` and `bytes`
//! crates, never in those of an HTTP server.
//!
//! Invariants:
//! - Everything that reads the network is total: no input panics, and work is bounded by the input's length.
//! - A request means the same whichever protocol it came by: JSON and Query parse into equal [`sqs::Request`]s.
//! - Errors carry AWS's codes and wording; [`Code`] is the catalogue.

pub mod calendar;
mod error;
mod incoming;
mod json;
pub mod md5;
mod query;
mod reply;
mod rest;
pub mod scheduler;
pub mod sigv4;
pub mod split;
pub mod sqs;
pub mod sts;
mod xml;

pub use error::{Code, Error, Fault, RemoteError};
pub use incoming::{Incoming, Protocol, Service, service_of};
