//! The state machine's tests: stories, one table per rule ([`script`] tells how to read them), and properties that
//! hold for any history.

mod script;
mod world;

mod compaction;
mod dead_letters;
mod fair;
mod fifo;
mod jobs;
mod leases;
mod limits;
mod model;
mod moves;
mod properties;
mod queues;
mod standard;
