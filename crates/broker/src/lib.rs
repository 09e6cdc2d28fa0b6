//! A partition at work: group commit, reply gate, timers, long-poll wake-ups.
//!
//! [`Broker`] is what the server holds: it is shared, asynchronous, and runs on real time and a real log. Its core,
//! [`partition::Partition`], is none of that, so that a simulation can drive it.
//!
//! Invariants:
//! - nothing that was computed from the state leaves before the log has that state: replies, refusals and reads alike
//!   are values behind a gate ([`partition::Gated`]);
//! - after an append that was not `Ok`, the partition is dropped and replayed; nothing is retried in place;
//! - a damaged log stops the partition, and nothing is written to it any more;
//! - there is no polling: whoever waits is woken by what they wait for.
//!
//! This crate knows nothing of HTTP, of AWS's shapes and codes, or of files.

mod assist;
mod broker;
mod clock;
mod committing;
mod contents;
mod failure;
mod handle;
mod look_up;
mod metrics;
pub mod open;
pub mod partition;
mod party;
mod picked;
mod progress;
mod random;
mod receipt;
mod schedules;
mod shared;
mod shortage;
mod thread;
mod undelivered;

pub use afterward_machine as machine;
pub use afterward_record::{Attribute, AttributeValue, Content};
pub use broker::{Broker, Received, Settings};
pub use clock::{Clock, ManualClock, OnJump, SystemClock};
pub use contents::StoredMessage;
pub use failure::{Failure, OpenError, Unavailable};
pub use metrics::{Counters, Metrics};
pub use partition::ScheduleRun;
pub use picked::Picked;
pub use progress::Progress;
pub use random::Random;
pub use receipt::{NotAReceiptHandle, Receipts};
pub use schedules::{ScheduleRunBegun, StoredSchedule};
