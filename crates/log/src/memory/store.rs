//! The batches, and who may add to them.

use crate::{
    AppendError, Batch, Epoch, Position, ReadError, Usage,
    acceptance::{Acceptance, Link},
};
use std::collections::VecDeque;

/// Who keeps an owner out that has been superseded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fencing {
    /// The store compares the epoch (segment files, PostgreSQL).
    ByStore,
    /// The store compares no more than the tail (NATS JetStream); readers skip what got in.
    ByReaders,
}

pub(super) struct Store {
    fencing: Fencing,
    pub(super) first: Position,
    entries: VecDeque<Entry>,
    reader: Acceptance,
    flushes: u64,
}

pub(super) struct Entry {
    pub(super) link: Link,
    /// By the rule for readers. What comes later can't change it.
    pub(super) accepted: bool,
    pub(super) batch: Batch,
}

pub(super) struct Request {
    pub(super) epoch: Epoch,
    pub(super) expected: Position,
    pub(super) claim: bool,
    pub(super) batch: Batch,
}

pub(super) enum Refused {
    Fenced,
    Tail(Position),
}

impl Store {
    pub(super) fn new(fencing: Fencing) -> Store {
        Store { fencing, first: 1, entries: VecDeque::new(), reader: Acceptance::START, flushes: 0 }
    }

    pub(super) fn tail(&self) -> Position {
        self.first + self.entries.len() as Position - 1
    }

    pub(super) fn next_epoch(&self) -> Epoch {
        self.reader.epoch + 1
    }

    /// Writes, if nothing speaks against it.
    pub(super) fn admit(&mut self, request: &Request) -> Result<Position, Refused> {
        let (reader, tail) = (self.reader, self.tail());
        if self.fencing == Fencing::ByStore && !request.claim && request.epoch != reader.epoch {
            return Err(Refused::Fenced);
        }
        if request.expected != tail {
            return Err(Refused::Tail(tail));
        }
        // A claimer has read the log and names the last accepted batch; an owner names the one that it wrote before.
        // A zombie's guess about that one is taken for right here: the worst that can happen.
        let previous = match self.entries.back() {
            Some(last) if !request.claim => (tail, last.link.checksum),
            _ => (reader.last, reader.last_checksum),
        };
        let position = tail + 1;
        let link = Link {
            position,
            epoch: request.epoch,
            claim: request.claim,
            previous: previous.0,
            previous_checksum: previous.1,
            checksum: crc32c::crc32c_append(position as u32, &request.batch.payload),
        };
        let accepted = self.reader.accept(&link).is_ok();
        self.entries.push_back(Entry { link, accepted, batch: request.batch.clone() });
        self.flushes += 1;
        Ok(position)
    }

    /// The entries from there on; none if it is above the tail.
    pub(super) fn from(&self, position: Position) -> Result<impl Iterator<Item = &Entry>, ReadError> {
        match position.max(1).checked_sub(self.first) {
            Some(skip) => Ok(self.entries.range((skip as usize).min(self.entries.len())..)),
            None => Err(ReadError::Trimmed { position, first: self.first }),
        }
    }

    pub(super) fn trim(&mut self, epoch: Epoch, up_to: Position) -> Result<(), AppendError> {
        if epoch != self.reader.epoch {
            return Err(AppendError::Fenced);
        }
        let gone = (up_to.min(self.tail()) + 1).saturating_sub(self.first);
        self.entries.drain(..gone as usize);
        self.first += gone;
        Ok(())
    }

    pub(super) fn usage(&self) -> Usage {
        let bytes = self.entries.iter().map(|entry| entry.batch.payload.len() as u64).sum();
        Usage { allocated_bytes: bytes, retained_bytes: bytes, flushes: self.flushes }
    }
}
