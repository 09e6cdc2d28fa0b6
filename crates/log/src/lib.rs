//! The log: a totally ordered sequence of opaque batches with one owner at a time.
//!
//! [`Log`] is the seam, and says what every engine must keep; [`conformance`] is the same as a program. Engines here:
//! [`segment`], the files of one directory, and [`memory`], which fails as told. A log knows nothing of what is in a
//! batch, and of time only what it is given.

mod acceptance;
pub mod conformance;
pub mod disk;
pub mod memory;
mod seam;
pub mod segment;

pub use seam::{
    AppendError, Batch, Bounds, ClaimError, Epoch, Log, LoggedBatch, Page, Position, ReadError, Shortage, Slice, Usage,
};
