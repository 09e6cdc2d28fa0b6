//! Running schedules when they are due.
//!
//! The idea: a schedule is stored like a message. The broker keeps its name and its next due time, and the log its
//! [`Definition`], in bytes that only this crate reads. [`Schedule`] is a definition understood: it says when it is due
//! and what it sends where, and refuses what it can't do.
//!
//! This crate knows nothing of HTTP APIs, of AWS's wire shapes and error codes, or of files.

mod definition;
mod hash;
mod invalid;
mod placeholders;
mod schedule;
mod target;

pub use definition::{
    AfterCompletion, Definition, RetryPolicy, SqsParameters, TargetDefinition, Unreadable, WindowDefinition,
};
pub use invalid::InvalidDefinition;
pub use schedule::Schedule;
