//! The state machine's tests: stories, one table per rule ([`script`] tells how to read them), and properties that
//! hold for any history.
//!
//! `cfg(test)` on the modules lets clippy see that this is test code, where `unwrap` is fine.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod history;
#[cfg(test)]
mod script;
#[cfg(test)]
mod world;

#[cfg(test)]
mod batches;
#[cfg(test)]
mod compaction;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod definitions;
#[cfg(test)]
mod fair;
#[cfg(test)]
mod fifo;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod moves;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod standard;
#[cfg(test)]
mod unbegun;
