//! Hostile input: one module per parser that meets the network or the disk, each with a `run` that takes any bytes.
//!
//! libFuzzer calls `run` by way of `fuzz_targets/`, and the test `replay` calls it with every seed and every input that
//! once went wrong, without libFuzzer. A `run` panics where the parser breaks a promise, so a panic, an abort, a hang or
//! more memory than [`memory`] allows is a finding.
//!
//! What the inputs look like is chosen for people: requests are text as HTTP has it ([`request`]), so that a seed can be
//! written by hand and a finding read.

#![warn(missing_docs)]

pub mod form;
pub mod gateway;
pub mod memory;
pub mod names;
pub mod receipt;
pub mod record;
pub mod request;
pub mod scheduler;
pub mod schedules;
pub mod segment;
pub mod signature;
pub mod sqs_json;
pub mod sqs_query;
pub mod sqs_reply;
mod targets;

pub use targets::{Target, all};
