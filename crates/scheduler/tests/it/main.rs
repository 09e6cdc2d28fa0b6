//! Schedules at work: a broker on a log in memory, a clock that is moved by hand, and a stand-in for the web.

#![allow(clippy::unwrap_used)] // helpers of tests, outside of #[test] functions

mod by_hand;
mod definitions;
mod failures;
mod hosts;
mod many;
mod order;
mod rig;
mod stand_in;
mod targets;
mod times;
mod web;
