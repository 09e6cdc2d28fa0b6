//! The seam that every log engine keeps: [`Log`].

use bytes::Bytes;
use std::{
    ops::Range,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// The index of a batch: contiguous, 0 before the first batch, which is at 1.
pub type Position = u64;

/// The reign of one owner: grows with every claim.
pub type Epoch = u64;

/// What is appended at once, and becomes durable as one: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The owner's time, in milliseconds since 1970. Never less than that of the batch before.
    pub time_ms: u64,
    /// How many records the payload holds. Opaque here, kept for inspection.
    pub records: u32,
    /// Opaque bytes.
    pub payload: Bytes,
}

/// A batch as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedBatch {
    /// Where it stands.
    pub position: Position,
    /// The epoch that it was appended in.
    pub epoch: Epoch,
    /// Whether it is the first of its epoch, written by [`Log::claim`].
    pub claim: bool,
    /// What was appended.
    pub batch: Batch,
}

/// Which batches there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The oldest retained batch; one above `tail` when nothing is retained.
    pub first: Position,
    /// The newest batch; 0 when nothing was ever appended.
    pub tail: Position,
}

/// A run of accepted batches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order of positions. Batches that were fenced off are not among them.
    pub batches: Vec<LoggedBatch>,
    /// Where to read on; equal to the position asked for when there is nothing more.
    pub next: Position,
}

/// Part of a batch's payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The batch.
    pub position: Position,
    /// Which bytes of its payload.
    pub bytes: Range<u32>,
}

/// Why a claim failed.
#[derive(Debug, Error)]
pub enum ClaimError {
    /// The tail is not where the claimer thought: read on and try again.
    #[error("the log's tail is at {tail}, not where the claim expected it")]
    TailMoved {
        /// Where it is.
        tail: Position,
    },
    /// The log could not be written.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// Why an append failed. After any of them the handle is poisoned: every later append fails too, until a new claim.
#[derive(Debug, Error)]
pub enum AppendError {
    /// Another owner has claimed the log: never written.
    #[error("another owner has taken over this partition")]
    Fenced,
    /// Never written, and why (a full disk, a batch that is too large, …).
    #[error("the log could not be extended: {reason}")]
    Rejected {
        /// For people.
        reason: String,
    },
    /// Perhaps written, now or later (a failed flush, a lost connection). Never retried in place.
    #[error("the log could not be flushed: {reason}")]
    Unknown {
        /// For people.
        reason: String,
    },
}

/// Why a read failed.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The batch is not retained any more.
    #[error("position {position} has been trimmed; the log starts at {first}")]
    Trimmed {
        /// Asked for.
        position: Position,
        /// The first retained.
        first: Position,
    },
    /// The log's bytes are not what was written. The partition stops; nothing is skipped, trimmed or deleted.
    #[error(
        "{} is damaged at byte {offset}: {reason}. Nothing was changed. \
         Look with `afterward doctor {}`; restore the file from a copy, or start with an empty directory",
        file.display(), argument(file.parent().unwrap_or(file))
    )]
    Corrupt {
        /// Which file.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// The operating system would not read.
    #[error("{} could not be read: {error}", file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// A path as a shell takes it for one argument: macOS keeps data below `Application Support`.
fn argument(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:,@%".contains(c) || (cfg!(windows) && c == '\\');
    match text.chars().all(plain) {
        true => text,
        false if cfg!(windows) => format!("\"{text}\""),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// A partition's log. Calls block; the broker makes them on threads of its own. Shared: reads and fetches go on beside
/// an append.
///
/// An engine MUST keep all of this; the conformance suite in [`crate::conformance`] is the same text as a program.
pub trait Log: Send + Sync {
    /// What is retained. MAY be stale where others can write.
    ///
    /// # Errors
    /// When the engine can't be asked.
    fn bounds(&self) -> Result<Bounds, ReadError>;

    /// Appends `batch` as the first of a new epoch if the tail is at `expected`. MUST be durable when it returns. From
    /// then on, appends in older epochs are `Fenced` or, where they already raced past, skipped by every reader.
    ///
    /// # Errors
    /// See [`ClaimError`].
    fn claim(&self, expected: Position, batch: Batch) -> Result<(Epoch, Position), ClaimError>;

    /// Appends `batch` at `expected + 1` in `epoch`. MUST be durable when it returns `Ok`. `Fenced` and `Rejected` MUST
    /// mean that it is not and never will be readable; anything else is `Unknown`. After the first error in an epoch
    /// every later append in it MUST fail.
    ///
    /// # Errors
    /// See [`AppendError`].
    fn append(&self, epoch: Epoch, expected: Position, batch: Batch) -> Result<Position, AppendError>;

    /// Accepted batches from `from` on: at least one if there is one, and no more than makes `max_bytes` of payload
    /// beyond it. MUST skip what was fenced off, the same way for every reader. From 0 is from 1; above the tail is an
    /// empty page.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn read(&self, from: Position, max_bytes: usize) -> Result<Page, ReadError>;

    /// Parts of durable batches, in the order asked for. The whole batch's checksum MAY go unchecked: records carry
    /// their own.
    ///
    /// # Errors
    /// See [`ReadError`]. Asking for bytes that never were is [`ReadError::Io`] with `InvalidInput`.
    fn fetch(&self, slices: &[Slice]) -> Result<Vec<Bytes>, ReadError>;

    /// The same for a caller that must not wait: `None` if anything would have to be waited for, or is not there or
    /// can't be read, which [`Self::fetch`] then tells. It MAY begin to make ready what was asked for, and what follows it.
    fn fetch_at_hand(&self, _slices: &[Slice]) -> Option<Vec<Bytes>> {
        None
    }

    /// Lets go of the batches up to and with `up_to`. MAY keep more. Monotone: trimming less than before does nothing.
    ///
    /// # Errors
    /// See [`AppendError`]: only an owner trims.
    fn trim(&self, epoch: Epoch, up_to: Position) -> Result<(), AppendError>;

    /// How many bytes the log takes where it is stored, and how many of them hold retained batches.
    fn usage(&self) -> Usage;

    /// That room is running out, before an append has to be rejected for it. An engine SHOULD know this while there is
    /// still room for small batches: its owner then takes nothing in that can wait, and uses what is left to get space
    /// back. It ends by itself, once there is room again. Asked before every change: `None` must be cheap.
    fn shortage(&self) -> Option<Shortage> {
        None
    }
}

/// Room is running out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// How many bytes of batches can still be appended for certain.
    pub room_bytes: u64,
    /// Why not more, for people.
    pub reason: String,
}

/// What a log takes up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Allocated, recycled and preallocated space included.
    pub allocated_bytes: u64,
    /// In retained batches.
    pub retained_bytes: u64,
    /// Flushes since the log was opened.
    pub flushes: u64,
}
