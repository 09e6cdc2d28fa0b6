//! The gateway over real sockets, on a log in memory and a clock in our hand.
#![allow(clippy::unwrap_used)] // helpers of tests, which clippy does not count as tests

mod actions;
mod admin;
mod batched;
mod browsers;
mod clock;
mod entries;
mod errors;
mod front_door;
mod hangups;
mod isolation;
mod limits;
mod messages;
mod pending_calls;
mod progress;
mod query;
mod quotas;
mod replies;
mod rig;
mod schedule_runs;
mod scheduler;
mod signatures;
mod unbegun;
mod unique;
