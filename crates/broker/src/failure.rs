//! Why a call gets no answer.

use afterward_log::{ClaimError, ReadError};
use afterward_machine::Refusal;
use thiserror::Error;

/// Why the partition could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The log can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log can't be taken over, most often because it can't be written.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The log is whole, but this release can't read what a record says.
    #[error(
        "batch {position} of the log can't be replayed: {reason}. Nothing was changed. Either a newer \
         release wrote it, or a file of the log is missing; look with `afterward doctor`"
    )]
    Record {
        /// The batch.
        position: u64,
        /// What is wrong, and where in the batch.
        reason: String,
    },
    /// The operating system gives no random bits, which secrets and message ids need.
    #[error("the operating system gives no random bits: {reason}")]
    Random {
        /// Why.
        reason: String,
    },
    /// The operating system gives no thread.
    #[error("the partition's thread could not be started: {reason}")]
    Thread {
        /// Why.
        reason: String,
    },
}

impl OpenError {
    /// Whether the log's bytes are wrong, so that trying again can't help and somebody has to look.
    pub fn is_corruption(&self) -> bool {
        matches!(self, OpenError::Read(ReadError::Corrupt { .. }) | OpenError::Record { .. })
    }
}

/// The partition can't take the call now; nothing of it has happened for certain. HTTP 503.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// What is wrong and what to do, for people.
    pub reason: String,
}

impl Unavailable {
    /// For the given reason.
    pub fn because(reason: impl Into<String>) -> Unavailable {
        Unavailable { reason: reason.into() }
    }
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The state says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The partition can't answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
