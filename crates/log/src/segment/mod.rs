//! The embedded engine: a log in the files of one directory.
//!
//! [`SegmentLog`] appends each batch to the last file with one write and one flush. `frame` says what a batch looks like
//! there and how a torn one is told from a damaged one; `recovery` says what is accepted at a start; `workshop` makes
//! files before they are needed. [`fn@inspect`] looks at a directory without changing it.
//!
//! Invariants:
//! - A frame is written only when all before it are flushed (or when the user chose [`Durability::Os`]), and only into
//!   zeros: at a start, behind the last whole frame, there are zeros or the remains of one.
//! - A batch is in the index, and so can be read, only after it was flushed.
//! - Readers take no lock while they read: a segment that is taken back under their hands is noticed afterwards.

mod direct;
mod file;
mod frame;
mod handle;
mod index;
mod inspect;
mod log;
mod recovery;
mod room;
mod scan;
#[cfg(test)]
mod tests;
mod upkeep;
mod window;
mod workshop;
mod writer;

pub use inspect::{Condition, Inspection, SegmentReport, inspect};
pub use log::SegmentLog;

use crate::{ReadError, disk::LockError};
use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    path::PathBuf,
};
use thiserror::Error;

/// When a batch counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When the disk has it. Survives a power cut.
    Flush,
    /// When the operating system has it. Survives the death of the process only.
    Os,
}

/// How a log is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// When a batch counts as written.
    pub durability: Durability,
    /// How large segments get. The first one has 1 MiB, each further one twice as much as the one before; a batch that is
    /// larger gets one that fits.
    pub segment_bytes: u64,
    /// Which partition it is. Another one's files are refused.
    pub partition: u32,
    /// What nobody outside can guess, so that no message can be made to look like a frame.
    pub salt: u64,
    /// Make segments on a thread of their own; else when they are needed, which a simulation can repeat.
    pub background: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            durability: Durability::Flush,
            segment_bytes: 64 << 20,
            partition: 0,
            // The standard library's own randomness, which seeds its hash tables.
            salt: RandomState::new().hash_one("afterward"),
            background: true,
        }
    }
}

/// Why a log could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Somebody else has the directory, or it can't be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It can't be read, or is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It can't be written.
    #[error("the log in {} can't be written: {error}", directory.display())]
    Write {
        /// Where.
        directory: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It was written by a release that came later.
    #[error("{} was written by a newer release of Afterward (format {version}). Start that one", file.display())]
    Newer {
        /// Which file.
        file: PathBuf,
        /// Its format.
        version: u8,
    },
    /// It is another partition's.
    #[error("{} belongs to partition {found}, not to partition {expected}: is this the right directory?", file.display())]
    OtherPartition {
        /// Which file.
        file: PathBuf,
        /// The partition it says.
        found: u32,
        /// The partition that was asked for.
        expected: u32,
    },
}

/// What was found when a log was opened. Its text is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReport {
    /// How many segments hold batches.
    pub segments: usize,
    /// How many batches there are.
    pub batches: u64,
    /// How many bytes they take.
    pub bytes: u64,
    /// What had to be cut.
    pub torn: Option<TornTail>,
}

/// The incomplete last batch of a process that died, or a machine that stopped, while it was written. Nobody was told
/// that it had been stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// Where it was.
    pub file: PathBuf,
    /// From where on.
    pub offset: u64,
    /// How long it was, as far as anything was there.
    pub bytes: u64,
}

impl fmt::Display for TornTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TornTail { file, offset, bytes } = self;
        let file = file.display();
        write!(f, "{file}: an incomplete batch at byte {offset} ({bytes} bytes), never acknowledged, was cut off")
    }
}

impl fmt::Display for OpenReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} batches ({} bytes) in {} segments", self.batches, self.bytes, self.segments)?;
        match &self.torn {
            Some(torn) => write!(f, "; {torn}"),
            None => Ok(()),
        }
    }
}
