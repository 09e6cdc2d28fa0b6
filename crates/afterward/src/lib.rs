//! Accept work now, do it afterward.

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
pub use worker::{Cancelled, Context, Handle, Handler, Raw, Summary, Worker};
