#![doc = include_str!("../README.md")]
//!
//! # How it is made
//!
//! [`Queue`] puts messages in; [`Worker`] takes them out of a [`Source`], which a queue is; both speak through
//! [`sqs::Client`]. The library knows nothing of the server's inside: what it does works against every SQS endpoint, and
//! the one thing that is ours, the header [`sqs::ERROR_HEADER`], is ignored elsewhere.

// The derive macro names this crate by its name, here as everywhere.
extern crate self as afterward;

mod attribute;
mod envelope;
mod error;
mod message;
mod queue;
mod source;
pub mod sqs;
mod worker;

pub use afterward_derive::Message;
pub use attribute::Attribute;
pub use error::Error;
pub use message::Message;
pub use queue::{Enqueue, MessageId, OpenQueue, Queue};
pub use source::{Cause, Delivery, Receive, Source, SourceError};
pub use worker::{Cancelled, Context, Event, Handle, Handler, JobInfo, Raw, Summary, Worker};
