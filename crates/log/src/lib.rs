//! The log: a totally ordered sequence of opaque batches with one owner at a time.

mod seam;

pub use seam::{
    AppendError, Batch, Bounds, ClaimError, Epoch, Log, LoggedBatch, Page, Position, ReadError, Slice, Usage,
};
