#![doc = include_str!("../README.md")]
//!
//! # How it is made
//!
//! [`Queue`] puts messages in; [`Worker`] takes them out of a [`Source`], which a queue is; both speak through
//! [`sqs::Client`]. The library knows nothing of the server's inside, and works against every SQS endpoint. What an Afterward
//! server has beyond SQS it uses where it finds it: headers on SQS's own requests, which others ignore (the reason of a failure,
//! [`sqs::ERROR_HEADER`]; progress, [`sqs::PROGRESS_HEADER`]; that a message was not begun, [`sqs::UNBEGUN_HEADER`]; the keys of
//! unique jobs), schedules at the same address, and dead letters in one step with their history. What happens elsewhere instead
//! is said with each.

// The derive macro names this crate by its name, here as everywhere.
extern crate self as afterward;

#[cfg(feature = "axum")]
pub mod access;
mod attribute;
#[doc(hidden)]
pub mod checks;
mod claim;
mod envelope;
mod error;
pub mod guide;
mod instant;
#[cfg(feature = "token")]
mod jose;
mod message;
pub mod notify;
mod pass;
mod queue;
pub mod scheduler;
mod source;
pub mod sqs;
#[cfg(feature = "stripe")]
pub mod stripe;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "token")]
pub mod token;
mod web;
mod worker;

pub use afterward_derive::{Message, debug_handler};
pub use attribute::Attribute;
pub use claim::{ClaimCheck, Storing};
pub use error::Error;
pub use message::Message;
pub use queue::{Batch, Enqueue, EnqueueAll, MessageId, OpenQueue, Queue, Scheduler, ToEnqueue};
pub use source::{Cause, DeadLetter, Delivery, Receive, Redrive, Source, SourceError};
#[cfg(feature = "token")]
pub use token::Token;
pub use worker::dispatch::Router;
pub use worker::{
    Backoff, Cancelled, Context, Event, Exhausted, Extension, Fail, FromJob, Handle, Handler, Handling, Input, Job,
    JobInfo, Layered, Missed, Outcome, Raw, Retry, Route, RouteFuture, Schedule, State, Summary, Tick, Unknown, Worker,
    Workers, handler,
};
