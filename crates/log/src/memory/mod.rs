//! A log in memory that fails as told: for tests, and for the simulation of the whole broker.
//!
//! One [`MemoryLog`] is one owner's handle; [`MemoryLog::another`] gives a second one on the same batches. A handle
//! behaves like the client of a storage service: it stops sending after the first failure of an epoch, and answers in
//! the order in which it sent; but what it had sent before may still arrive.

mod door;
mod store;
#[cfg(test)]
mod tests;

use crate::{AppendError, Batch, Bounds, ClaimError, Epoch, Log, LoggedBatch, Page, Position, ReadError, Slice, Usage};
use bytes::Bytes;
use door::Door;
use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
pub use store::Fencing;
use store::{Refused, Request, Store};

/// A handle on a log in memory.
pub struct MemoryLog {
    store: Arc<Mutex<Store>>,
    door: Door,
    owner: Mutex<Owner>,
}

/// What goes wrong with a claim or an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused, and not written.
    Reject,
    /// It is written, but the answer is lost.
    UnknownWritten,
    /// It is lost.
    UnknownLost,
    /// The caller is told that nobody knows; it is on its way until [`MemoryLog::deliver_late`].
    UnknownLate,
}

#[derive(Default)]
struct Owner {
    claimed: Epoch,
    poisoned: Option<Epoch>,
    faults: VecDeque<Fault>,
    late: Vec<Request>,
}

impl MemoryLog {
    /// An empty log, and a handle on it.
    pub fn new(fencing: Fencing) -> MemoryLog {
        MemoryLog::on(Arc::new(Mutex::new(Store::new(fencing))))
    }

    /// Another handle on the same log, as another process would have it.
    #[must_use]
    pub fn another(&self) -> MemoryLog {
        MemoryLog::on(Arc::clone(&self.store))
    }

    /// Lets a claim or append of this handle fail: each call for one of them, in order.
    pub fn fail_next(&self, fault: Fault) {
        self.owner().faults.push_back(fault);
    }

    /// Lets what was [`Fault::UnknownLate`] arrive: how many of them were written.
    pub fn deliver_late(&self) -> usize {
        let late = std::mem::take(&mut self.owner().late);
        late.into_iter().filter(|request| self.store().admit(request).is_ok()).count()
    }

    /// Keeps claims and appends of this handle on their way, until [`Self::release`].
    pub fn hold(&self) {
        self.door.hold();
    }

    /// Waits until so many claims and appends are being held.
    pub fn wait_until_held(&self, count: usize) {
        self.door.wait_until_held(count);
    }

    /// Lets them arrive, in the order in which they were sent.
    pub fn release(&self) {
        self.door.release();
    }

    fn on(store: Arc<Mutex<Store>>) -> MemoryLog {
        MemoryLog { store, door: Door::default(), owner: Mutex::default() }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owner(&self) -> MutexGuard<'_, Owner> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate(&self, epoch: Epoch) -> Result<(), AppendError> {
        let owner = self.owner();
        if epoch == 0 || owner.claimed != epoch {
            return Err(AppendError::Fenced);
        }
        match owner.poisoned {
            Some(poisoned) if poisoned >= epoch => {
                Err(AppendError::Rejected { reason: "an earlier append failed".to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// What the way to the store does to a request.
    fn send(&self, request: Request) -> Result<Position, Failed> {
        let unknown = |reason: &str| Failed::Append(AppendError::Unknown { reason: reason.to_owned() });
        let fault = self.owner().faults.pop_front();
        match fault {
            None => self.store().admit(&request).map_err(Failed::Refused),
            Some(Fault::Reject) => Err(Failed::Append(AppendError::Rejected { reason: "no room (injected)".into() })),
            Some(Fault::UnknownLost) => Err(unknown("connection lost (injected)")),
            Some(Fault::UnknownWritten) => {
                self.store().admit(&request).map_err(Failed::Refused)?;
                Err(unknown("answer lost (injected)"))
            }
            Some(Fault::UnknownLate) => {
                self.owner().late.push(request);
                Err(unknown("no answer in time (injected)"))
            }
        }
    }

    /// Sends an append whose turn it is. A failure before it makes an answer of `Ok` worthless: its owner was told that
    /// it must not build on it.
    fn append_in_turn(&self, request: Request) -> Result<Position, AppendError> {
        let epoch = request.epoch;
        let was_poisoned = self.gate(epoch).is_err();
        let outcome = match self.send(request) {
            Ok(position) if !was_poisoned => return Ok(position),
            Ok(_) => AppendError::Unknown { reason: "it was sent before an earlier append failed".to_owned() },
            Err(Failed::Append(error)) => error,
            Err(Failed::Refused(Refused::Fenced)) => AppendError::Fenced,
            Err(Failed::Refused(Refused::Tail(tail))) => {
                AppendError::Rejected { reason: format!("the log's tail is at {tail}") }
            }
        };
        let mut owner = self.owner();
        owner.poisoned = owner.poisoned.max(Some(epoch));
        Err(outcome)
    }
}

enum Failed {
    Refused(Refused),
    Append(AppendError),
}

impl Default for MemoryLog {
    /// With a store that knows the current epoch.
    fn default() -> Self {
        MemoryLog::new(Fencing::ByStore)
    }
}

impl Log for MemoryLog {
    fn bounds(&self) -> Result<Bounds, ReadError> {
        let store = self.store();
        Ok(Bounds { first: store.first, tail: store.tail() })
    }

    fn claim(&self, expected: Position, batch: Batch) -> Result<(Epoch, Position), ClaimError> {
        let epoch = self.store().next_epoch();
        let _turn = self.door.enter();
        match self.send(Request { epoch, expected, claim: true, batch }) {
            Ok(position) => {
                self.owner().claimed = epoch;
                Ok((epoch, position))
            }
            Err(Failed::Append(error)) => Err(error.into()),
            Err(Failed::Refused(Refused::Tail(tail))) => Err(ClaimError::TailMoved { tail }),
            Err(Failed::Refused(Refused::Fenced)) => Err(AppendError::Fenced.into()),
        }
    }

    fn append(&self, epoch: Epoch, expected: Position, batch: Batch) -> Result<Position, AppendError> {
        self.gate(epoch)?;
        let _turn = self.door.enter();
        self.append_in_turn(Request { epoch, expected, claim: false, batch })
    }

    fn read(&self, from: Position, max_bytes: usize) -> Result<Page, ReadError> {
        let store = self.store();
        let mut page = Page { batches: Vec::new(), next: from };
        let mut bytes = 0;
        for entry in store.from(from)? {
            bytes += if entry.accepted { entry.batch.payload.len() } else { 0 };
            if entry.accepted && bytes > max_bytes && !page.batches.is_empty() {
                break;
            }
            page.next = entry.link.position + 1;
            page.batches.extend(entry.accepted.then(|| LoggedBatch {
                position: entry.link.position,
                epoch: entry.link.epoch,
                claim: entry.link.claim,
                batch: entry.batch.clone(),
            }));
        }
        Ok(page)
    }

    fn fetch(&self, slices: &[Slice]) -> Result<Vec<Bytes>, ReadError> {
        let store = self.store();
        let fetched = slices.iter().map(|slice| {
            let entry = store.from(slice.position)?.next();
            let bytes = slice.bytes.start as usize..slice.bytes.end as usize;
            match entry {
                Some(entry) if bytes.start <= bytes.end && bytes.end <= entry.batch.payload.len() => {
                    Ok(entry.batch.payload.slice(bytes))
                }
                _ => Err(ReadError::Io {
                    file: PathBuf::from("memory"),
                    error: io::Error::new(io::ErrorKind::InvalidInput, format!("there is no {slice:?}")),
                }),
            }
        });
        fetched.collect()
    }

    fn trim(&self, epoch: Epoch, up_to: Position) -> Result<(), AppendError> {
        self.gate(epoch)?;
        self.store().trim(epoch, up_to)
    }

    fn usage(&self) -> Usage {
        self.store().usage()
    }
}
