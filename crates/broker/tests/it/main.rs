//! The broker over logs that are held back, fail, and are killed; on a clock that is moved by hand.

#![allow(clippy::unwrap_used)] // clippy takes only what stands in a test function for a test

mod assist;
mod compaction;
mod durability;
mod equivalence;
mod golden;
mod hangups;
mod late_answers;
mod parties;
mod progress;
mod reads;
mod recovery;
mod rig;
mod schedules;
mod shortage;
mod stop;
mod waits;
mod watched;
