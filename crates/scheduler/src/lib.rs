//! Running schedules when they are due.
//!
//! The idea: a schedule is stored like a message. The broker keeps its name and its next due time, and the log its
//! [`Definition`], in bytes that only this crate reads. [`Schedule`] is a definition understood: it says when it is due
//! and what it sends where, and refuses what it can't do. [`Runner`] takes what is due and submits each run as one atomic
//! command: what it sends, and when it is due again (`run.rs`).
//!
//! What can fail, an HTTP request or a message to a queue that is not there, is sent as a message first: to the queue
//! `afterward-invocations` of the schedule's account and region, from which it is called, tried again, and dead-lettered
//! (`worker.rs`, `attempt.rs`). A host that hangs holds so many of these calls and no more (`hosts.rs`).
//!
//! Invariants:
//! - each time that a schedule is due is run once, whatever falls over in between; what was missed runs once,
//!   for the latest of its times;
//! - a message to a queue that takes it is sent exactly once, a request is made at least once;
//! - a group of a FIFO queue is sent what is due in the order of due times, and then of the schedules' making (`round.rs`);
//! - nothing is drawn at random but the id of a run by hand: what looks so is derived from the schedule and the time, and
//!   comes out the same again.
//!
//! This crate knows nothing of HTTP APIs, of AWS's wire shapes and error codes, or of files.

mod attempt;
mod backoff;
mod call;
mod crew;
mod dead_letter;
mod definition;
mod execution;
mod hash;
mod hosts;
mod invalid;
mod invocation;
mod lane;
mod message;
mod placeholders;
mod problem;
mod reach;
mod round;
mod run;
mod runner;
mod schedule;
mod target;
mod web;
mod worker;

pub use definition::{
    AfterCompletion, Definition, RetryPolicy, SqsParameters, TargetDefinition, Unreadable, WindowDefinition,
};
pub use invalid::InvalidDefinition;
pub use invocation::is_queue_of_calls;
pub use reach::{HttpTargets, OutOfReach};
pub use runner::{RunNowError, Runner};
pub use schedule::Schedule;
