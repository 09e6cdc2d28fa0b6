//! The contract of [`Log`] as a program: every engine runs all of [`CASES`] in its tests.
//!
//! ```
//! use afterward_log::{conformance, memory::MemoryLog};
//! # use std::sync::Arc;
//! # use afterward_log::Log;
//! struct Memory(MemoryLog);
//!
//! impl conformance::Harness for Memory {
//!     fn another(&mut self) -> Arc<dyn Log> {
//!         Arc::new(self.0.another())
//!     }
//!     fn reopen(&mut self) -> Arc<dyn Log> {
//!         Arc::new(self.0.another())
//!     }
//! }
//!
//! conformance::run(|| Memory(MemoryLog::default()));
//! ```

mod cases;

pub use cases::CASES;

use crate::{AppendError, Batch, Epoch, Log, LoggedBatch, Position};
use bytes::Bytes;
use std::sync::Arc;

/// One log of an engine under test, empty at first.
pub trait Harness {
    /// A further handle on it, as another owner would have it. Where a process has no more than one, the same again.
    fn another(&mut self) -> Arc<dyn Log>;

    /// A handle after all others are gone, as after a restart. The caller has dropped those that it got.
    fn reopen(&mut self) -> Arc<dyn Log>;

    /// Lets the next append of `log` end as [`AppendError::Unknown`]; `false` where the engine can't be made to.
    fn lose_next_answer(&mut self, log: &Arc<dyn Log>) -> bool {
        let _ = log;
        false
    }
}

/// A case: what it shows, and the program that shows it, which panics if the engine does otherwise.
pub type Case = (&'static str, fn(&mut dyn Harness));

/// Runs every case, each on a log of its own.
///
/// # Panics
/// If the engine breaks the contract; the case that shows it has been named on standard error by then, as far as the
/// test harness lets it through.
#[allow(clippy::print_stderr, reason = "the name of the case belongs in a failing test's output")]
pub fn run<H: Harness>(mut make: impl FnMut() -> H) {
    for (name, case) in CASES {
        eprintln!("conformance: {name}");
        case(&mut make());
    }
}

/// A batch that can be told from others.
fn batch(text: &str) -> Batch {
    let payload = Bytes::copy_from_slice(text.as_bytes());
    Batch { time_ms: 1_700_000_000_000 + text.len() as u64, records: text.len() as u32, payload }
}

/// Everything that is retained, read in pages of so many bytes.
fn everything(log: &dyn Log, max_bytes: usize) -> Vec<LoggedBatch> {
    let mut batches = Vec::new();
    let mut from = ok(log.bounds()).first;
    loop {
        let page = ok(log.read(from, max_bytes));
        assert!(page.next >= from, "a page leads back from {from} to {}", page.next);
        if page.next == from {
            assert!(page.batches.is_empty(), "a page with batches leads on");
            return batches;
        }
        let bytes: usize = page.batches.iter().map(|logged| logged.batch.payload.len()).sum();
        assert!(page.batches.len() <= 1 || bytes <= max_bytes, "{bytes} bytes in a page of at most {max_bytes}");
        assert!(page.batches.iter().all(|logged| (from..page.next).contains(&logged.position)));
        batches.extend(page.batches);
        from = page.next;
    }
}

/// The payloads of [`everything`].
fn texts(log: &dyn Log) -> Vec<String> {
    let text = |logged: &LoggedBatch| String::from_utf8_lossy(&logged.batch.payload).into_owned();
    everything(log, usize::MAX).iter().map(text).collect()
}

/// Claims the log where it ends.
fn claim(log: &dyn Log, text: &str) -> (Epoch, Position) {
    let tail = ok(log.bounds()).tail;
    ok(log.claim(tail, batch(text)))
}

/// Appends these, one after the other.
fn append_all(log: &dyn Log, epoch: Epoch, mut tail: Position, texts: &[&str]) -> Position {
    for text in texts {
        tail = ok(log.append(epoch, tail, batch(text)));
    }
    tail
}

fn ok<T, E: std::fmt::Debug>(outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| panic!("must succeed: {error:?}"))
}

fn is_never_written(outcome: &Result<Position, AppendError>) -> bool {
    matches!(outcome, Err(AppendError::Fenced | AppendError::Rejected { .. }))
}
